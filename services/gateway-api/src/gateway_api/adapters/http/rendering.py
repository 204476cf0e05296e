"""Pages from templates, with a strict content security policy."""

import hashlib
import secrets
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from kommunepuls_chassis.texts import clean_html
from kommunepuls_events.base import utc_now
from markupsafe import Markup

from gateway_api.adapters.http.access import reader_of
from gateway_api.adapters.http.language import COOKIE, LANGUAGES, catalogue, known, language_of, words_in
from gateway_api.domain import vocabulary
from gateway_api.domain.words import cause_sentence, named
from gateway_api.service.gateway import Gateway

_YEAR_SECONDS = 31_536_000


@cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=PackageLoader("gateway_api"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(catalogue(language), newstyle=True)  # type: ignore[attr-defined]
    words = words_in(language)
    environment.globals.update(
        words=words,
        vocabulary=vocabulary,
        languages=LANGUAGES,
        static=static_address,
        named=lambda names, key: named(names, key, words),
        cause=lambda slug: cause_sentence(slug, words),
        kind_name=lambda kind: named(vocabulary.KINDS, kind, words),
        category_of=vocabulary.category_of,
        level_of=vocabulary.level_of,
    )
    environment.filters.update(
        # Cleaned at the source already; again here, for a page must not trust a topic.
        safe_html=lambda text: Markup(clean_html(text)),
        dictsort_by=lambda counts, name: sorted(
            ((key, name(key)) for key in counts), key=lambda pair: pair[1].casefold()
        ),
        field_name=lambda field: named(vocabulary.FIELDS, field, words),
        quoted=lambda text: quote(str(text), safe=""),
        interest_named=lambda slug, names: names.interest(slug),
        dom_id=lambda text: "i" + hashlib.sha256(str(text).encode()).hexdigest()[:12],
    )
    return environment


@cache
def static_address(name: str) -> str:
    """The address of a static file with its content's mark, so that browsers may keep it for good."""
    content = resources.files("gateway_api").joinpath("static", name).read_bytes()
    return f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:10]}"


def content_security_policy(nonce: str) -> str:
    """Nothing from elsewhere, no script or style of a page's own without the nonce."""
    return (
        "default-src 'none'; "
        f"script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
        "connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


async def page(
    request: Request,
    template: str,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    **values: Any,
) -> HTMLResponse:
    """Render a page for whoever asks, signed in or not, in their language."""
    gateway: Gateway = request.app.state.gateway
    reader = await reader_of(request)
    chosen = reader.subscriber.profile.language if reader else None
    town = values.pop("town", None) or (
        gateway.towns.get(reader.subscriber.profile.municipality) if reader else gateway.towns.single
    )
    language = language_of(
        request, chosen=chosen, default=known((town or gateway.towns.first).town.language) or "nb"
    )
    nonce = secrets.token_urlsafe(16)
    content = (
        _environment(language)
        .get_template(template)
        .render(
            {
                "request": request,
                "language": language,
                "town": town,
                "timezone": (town or gateway.towns.first).town.timezone,
                "reader": reader,
                "csrf": reader.session.csrf if reader else "",
                "nonce": nonce,
                "now": utc_now(),
                "path": request.url.path,
                "public_url": gateway.settings.public_url,
            }
            | values
        )
    )
    answer = HTMLResponse(content, status, headers=headers)
    answer.headers["Content-Security-Policy"] = content_security_policy(nonce)
    answer.headers["Content-Language"] = language
    # By this the service worker keeps apart what residents at one browser read.
    answer.headers["KP-Reader"] = _mark_of(reader.subscriber.id) if reader else "nobody"
    answer.headers["Vary"] = "Cookie, Accept-Language"
    answer.headers.setdefault("Cache-Control", "private, no-cache" if not reader else "no-store")
    if asked := known(request.query_params.get("language")):
        answer.set_cookie(
            COOKIE,
            asked,
            max_age=_YEAR_SECONDS,
            path="/",
            httponly=True,
            samesite="lax",
            secure=gateway.settings.secure,
        )
    return answer


def fragment(language: str, template: str, **values: Any) -> str:
    """A piece of a page, to be put in place by a module."""
    return _environment(language).get_template(template).render(values | {"language": language})


def _mark_of(subscriber: str) -> str:
    return hashlib.sha256(f"reader {subscriber}".encode()).hexdigest()[:16]


async def error_page(
    request: Request, status: int, slug: str, *, headers: dict[str, str] | None = None
) -> HTMLResponse:
    """A page that says in plain words what went wrong."""
    return await page(request, "error.html", status=status, headers=headers, code=status, slug=slug)
