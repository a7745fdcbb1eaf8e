# The demo's upstream: it prints every request's head, so that the injected credential is seen where it belongs.
ARG BASE=debian:bookworm-slim
FROM ${BASE}
COPY target/release/echo-upstream /usr/local/bin/echo-upstream
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/echo-upstream", "8000"]
