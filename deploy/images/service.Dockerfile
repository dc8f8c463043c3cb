# Image of one service: --build-arg SERVICE=compute-gateway | compute-maintainer | compute-connector | compute-migrate |
# cybergis-compute. Built with BuildKit from the root of the repository. All services share the stages before the last.
#
# PROFILE: profile of Cargo. COMMIT: shown by --version and as a label. EXTRA_CA: PEM certificates of a proxy on the way to
# the registries; they stay in the build stage.
FROM rust:1.95-slim-bookworm AS toolchain
ARG EXTRA_CA=""
RUN if [ -n "$EXTRA_CA" ]; then \
      printf '%s\n' "$EXTRA_CA" >/usr/local/share/ca-certificates/extra.crt && update-ca-certificates >/dev/null; \
    fi
ENV CARGO_HTTP_CAINFO=/etc/ssl/certs/ca-certificates.crt CARGO_INCREMENTAL=0
WORKDIR /src

# Compiled crates and downloads stay in caches of the builder, so only changes are compiled. Sources are touched, because
# copied files can have an earlier time than files that another checkout has compiled into the cache.
FROM toolchain AS build
ARG PROFILE=release
ARG COMMIT=unknown
COPY . .
# members of the workspace; only their manifests are needed here
RUN install -D /dev/null integration-tests/src/lib.rs && install -D /dev/null integration-tests/model/src/lib.rs
RUN --mount=type=cache,id=compute-registry,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=compute-target,target=/target,sharing=locked \
    find . -type f -exec touch {} + \
 && CYBERGIS_COMMIT=$COMMIT cargo build --locked --profile "$PROFILE" --target-dir "/target/$PROFILE" \
      --workspace --exclude compute-integration-tests --bins \
 && mkdir /out && cd "/target/$PROFILE"/*/ \
 && cp compute-gateway compute-maintainer compute-connector compute-migrate cybergis-compute /out/

FROM debian:bookworm-slim
ARG SERVICE
# git fetches templates, ssh reaches HPCs and private templates
RUN case "$SERVICE" in \
      compute-migrate) packages="" ;; \
      compute-connector) packages=openssh-client ;; \
      compute-gateway | compute-maintainer | cybergis-compute) packages="git openssh-client" ;; \
      *) echo "SERVICE=$SERVICE is no service of ours" >&2; exit 1 ;; \
    esac \
 && apt-get update && apt-get install -y --no-install-recommends ca-certificates $packages && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --user-group --create-home --home-dir /var/lib/cybergis-compute --shell /usr/sbin/nologin compute
COPY --from=build /out/${SERVICE} /usr/local/bin/${SERVICE}
RUN ln -s "$SERVICE" /usr/local/bin/service
# After the packages: otherwise each commit would install them again.
ARG COMMIT=unknown
ARG VERSION=unknown
LABEL org.opencontainers.image.title="$SERVICE" org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$COMMIT" org.opencontainers.image.licenses=Apache-2.0
ENV CYBERGIS_CONFIG=/etc/cybergis-compute CYBERGIS_LOG_FORMAT=json
USER 10001:10001
# mirrors of templates; each container has its own
VOLUME /var/lib/cybergis-compute
WORKDIR /var/lib/cybergis-compute
ENTRYPOINT ["/usr/local/bin/service"]
