"""`/`, `/docs` and `/redoc` with assets of our own: no page asks another host."""

from importlib.util import find_spec
from pathlib import Path

from fastapi import APIRouter
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles

ASSETS_PATH = "/assets"
DOCS_PATH = "/docs"
OPENAPI_PATH = "/openapi.json"
TITLE = "Dossier"

_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; worker-src blob:; "
    "frame-ancestors 'none'"
)

router = APIRouter(include_in_schema=False)


@router.get("/")
async def root() -> RedirectResponse:
    """Lead a browser to the reference."""
    return RedirectResponse(DOCS_PATH)


@router.get(DOCS_PATH)
async def swagger_page() -> HTMLResponse:
    """Show the interactive reference."""
    return _framed(
        get_swagger_ui_html(
            openapi_url=OPENAPI_PATH,
            title=f"{TITLE} - API",
            swagger_js_url=f"{ASSETS_PATH}/swagger-ui-bundle.js",
            swagger_css_url=f"{ASSETS_PATH}/swagger-ui.css",
            swagger_favicon_url=f"{ASSETS_PATH}/favicon.png",
        )
    )


@router.get("/redoc")
async def redoc_page() -> HTMLResponse:
    """Show the reference for reading."""
    return _framed(
        get_redoc_html(
            openapi_url=OPENAPI_PATH,
            title=f"{TITLE} - API",
            redoc_js_url=f"{ASSETS_PATH}/redoc.standalone.js",
            redoc_favicon_url=f"{ASSETS_PATH}/favicon.png",
            with_google_fonts=False,
        )
    )


def assets() -> StaticFiles:
    """Return the app that serves the scripts and styles of both pages."""
    # The package's folder is all we want: importing it would import a second app.
    spec = find_spec("fastapi_offline")
    if spec is None or spec.origin is None:
        message = "the package fastapi-offline, which holds the assets, is missing"
        raise RuntimeError(message)
    return StaticFiles(directory=Path(spec.origin).parent / "static")


def _framed(page: HTMLResponse) -> HTMLResponse:
    page.headers["content-security-policy"] = _POLICY
    return page
