"""Forms: YAML to `Form`, values to clean values or problems.

A form says what a task asks of a person, or a questionnaire of its respondents. The command line, the web and
the import of spreadsheets show the same `Form` and take their values through the same `clean`.
"""

from engine.forms.cleaning import clean, draft, prefill, visible
from engine.forms.conditions import holds
from engine.forms.form import Condition, Field, Form, Group, Option, Row, Scale, Score, Test, Text
from engine.forms.loading import load_form, optional_read_text, read_text
from engine.forms.outline import Prompt, asked_when, outline

__all__ = [
    "Condition",
    "Field",
    "Form",
    "Group",
    "Option",
    "Prompt",
    "Row",
    "Scale",
    "Score",
    "Test",
    "Text",
    "asked_when",
    "clean",
    "draft",
    "holds",
    "load_form",
    "optional_read_text",
    "outline",
    "prefill",
    "read_text",
    "visible",
]
