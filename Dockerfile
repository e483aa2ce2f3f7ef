# The bridge as an image: docker build -t ws2sse . && docker run -p 8080:8080 ws2sse ...
# The first stage checks every package against requirements.lock; of those, the second installs
# just what the bridge itself needs, so no tool of the developers ends up in the image.

FROM python:3.11-slim AS wheels
WORKDIR /build
COPY requirements.lock ./
RUN pip wheel --no-cache-dir --no-deps --require-hashes --wheel-dir /wheels -r requirements.lock \
    && pip install --no-cache-dir --no-index --find-links /wheels hatchling editables
COPY . .
RUN pip wheel --no-cache-dir --no-deps --no-index --no-build-isolation --wheel-dir /wheels .

FROM python:3.11-slim
RUN --mount=type=bind,from=wheels,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-compile --no-index --find-links /wheels ws2sse \
    && useradd --system --no-create-home --shell /usr/sbin/nologin ws2sse
USER ws2sse
ENV PYTHONUNBUFFERED=1
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["ws2sse"]
CMD ["serve", "--host", "0.0.0.0"]
