# One image, two commands: `dossier serve` and `dossier worker`.
FROM python:3.13-slim-trixie AS build
RUN pip install --no-cache-dir uv
WORKDIR /app
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy
COPY requirements/app.lock requirements/
RUN uv venv /venv && VIRTUAL_ENV=/venv uv pip sync --require-hashes requirements/app.lock
COPY pyproject.toml README.md LICENSE ./
COPY migrations migrations
COPY src src
RUN VIRTUAL_ENV=/venv uv pip install --no-deps .

FROM python:3.13-slim-trixie AS run
# Glyphs of Taiwanese shape for the printed file.
RUN apt-get update \
    && apt-get install -y --no-install-recommends fonts-noto-cjk \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --create-home --home-dir /data --uid 10001 dossier
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DOSSIER_HOME=/data \
    DOSSIER_WEB__HOST=0.0.0.0 \
    DOSSIER_AUTH__MODE=password
USER dossier
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/live', timeout=2)"]
CMD ["dossier", "serve", "--no-worker"]
