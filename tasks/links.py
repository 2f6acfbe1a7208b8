"""Links: where a questionnaire is answered online, as a picture that a telephone reads."""

from __future__ import annotations

from documents.qr import picture
from engine.errors import EngineError
from engine.handlers import Call, Handlers, Values, anything, takes

handlers = Handlers("links")


@handlers.inside
@takes(optional={"flow.link": anything})
def code(call: Call) -> Values:
    """Makes the QR code of a link, to be printed or sent beside it; sets nothing.

    Property: `flow.link`, the variable that holds the link (`link`).
    """
    name = call.properties.get("flow.link", "link").strip()
    link = str(call.variables.get(name) or "").strip()
    if not link:
        raise EngineError("{element} needs a link in the variable {name}", element=call.element, name=name)
    call.note("link.published", {"link": link})
    return {"$record": {"调查链接二维码.png": picture(link), "调查链接.txt": f"{link}\n"}}
