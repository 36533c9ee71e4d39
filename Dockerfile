# A node in a container. The chain lies in the volume /data; the keys, which are not part of the image, are mounted there too.
#
#   docker build -t busbar .
#   docker run -v busbar-data:/data -p 30333:30333 -p 127.0.0.1:9944:9944 busbar \
#       --spec /data/spec.json --listen 0.0.0.0:30333 \
#       --validator --session-key-name session --keystore /data/keys --passphrase-file /data/passphrase
FROM rust:1-bookworm AS build
WORKDIR /busbar
COPY . .
RUN cargo build --release --locked --package host-node --bin busbar

FROM debian:bookworm-slim
RUN useradd --system --uid 10000 --home-dir /data --create-home --shell /usr/sbin/nologin busbar
COPY --from=build /busbar/target/release/busbar /usr/local/bin/busbar
USER busbar
VOLUME /data
EXPOSE 30333 9944
# It ends with an error if the node does not answer, or has computed something else than others.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["busbar", "status", "--rpc", "http://127.0.0.1:9944"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["busbar", "node", "--data", "/data/chain", "--rpc", "0.0.0.0:9944"]
CMD ["--scenario", "dev", "--dev-validator", "1"]
