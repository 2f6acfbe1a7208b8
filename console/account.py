"""Who is logged in."""

from __future__ import annotations

import os
import sys


def system_user() -> str:
    """The account this process belongs to, as the operating system has it; no variable of the environment decides.

    An account without a name, as in some containers, is called by its number.
    """
    if sys.platform == "win32":
        return os.getlogin()
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
