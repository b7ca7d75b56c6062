# The bot as a container: `docker build -t photo-bot . && docker run --env-file .env -v photo-bot:/app/data photo-bot`
# Its root may be read-only (`--read-only --tmpfs /tmp --cap-drop ALL`): it writes to /app/data and /tmp only.
# `tools/try_container.py` builds it without a Docker engine and tries it.
FROM python:3.13-slim-trixie AS setup
WORKDIR /app
COPY requirements requirements
COPY tools tools
COPY bot/models/published.toml bot/models/published.toml
# The learned segmenter's file goes to /app/.models, outside the volume; the bot copies it into /app/data/models when it
# starts. If the usual hosts cannot be reached: `docker build --build-arg PIP_INDEX_URL=https://… --build-arg
# MODELS_MIRROR=https://…`. Both stay in this stage.
ARG PIP_INDEX_URL=
ARG MODELS_MIRROR=
RUN PIP_NO_CACHE_DIR=1 UV_NO_CACHE=1 python tools/bootstrap.py run && mkdir -p .models
# Compiled here, because the bot's user may not write into the image: each start would take 2.7 s longer.
RUN python tools/slim_venv.py .venv && .venv/bin/python -m compileall -q -j 0 .venv/lib

FROM python:3.13-slim-trixie
WORKDIR /app
RUN useradd --system --home /app bot && mkdir -p -m 700 data && chown bot data
COPY LICENSE THIRD_PARTY.md ./
COPY LICENSES LICENSES
COPY --from=setup /app/.venv .venv
COPY --from=setup /app/.models .models
COPY bot bot
COPY webapp webapp
RUN .venv/bin/python -m compileall -q bot webapp
USER bot
ENV PATH=/app/.venv/bin:$PATH HOST=0.0.0.0 LOG_FORMAT=json MALLOC_ARENA_MAX=2
VOLUME /app/data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["python", "-c", \
  "import os, urllib.request as u; u.urlopen(f\"http://127.0.0.1:{os.environ.get('PORT') or 8080}/healthz\", timeout=4)"]
CMD ["python", "-m", "bot", "run"]
