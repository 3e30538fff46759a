# The programs of MiniEthNet in an image: docker build -t ethnetlite . (docs/DOCKER.md)
# Builds with BuildKit and without. `--build-arg CMAKE_BUILD_PARALLEL_LEVEL=2` bounds how much it compiles at once.

FROM debian:bookworm-slim AS build
ENV ETHNET_SETUP=build DEBIAN_FRONTEND=noninteractive
WORKDIR /src
# Packages first: these layers last until a list of them changes.
COPY dev ./
COPY tools/dev tools/dev
COPY web/package.json web/package-lock.json web/.npmrc web/
RUN ./dev setup
COPY . .
ARG CMAKE_BUILD_PARALLEL_LEVEL
RUN ./dev build release ethnet EthNetLite ethnet-sim

FROM debian:bookworm-slim
# Of libngtcp2, which bookworm itself has too old.
COPY --from=build /etc/apt/sources.list.d/ethnet-bookworm-backports.* /etc/apt/sources.list.d/
RUN apt-get update \
  && apt-get install -y --no-install-recommends \
    libfmt9 libgnutls30 libgrpc++1.51 libngtcp2-16/bookworm-backports libngtcp2-crypto-gnutls8/bookworm-backports \
    libc-ares2 libminiupnpc17 libprotobuf32 libsecp256k1-1 libsnappy1v5 libsqlite3-0 libssl3 libtomlplusplus3 libyaml-cpp0.7 \
  && rm -rf /var/lib/apt/lists/* \
  && useradd --system --uid 10001 --home-dir /data --create-home --shell /usr/sbin/nologin ethnet
COPY --from=build /src/build/release/bin/ethnet /src/build/release/bin/EthNetLite /src/build/release/bin/ethnet-sim \
  /usr/local/bin/
# A library that is missing shows here and not at the first start.
RUN EthNetLite --help >/dev/null && ethnet --version && ethnet-sim list >/dev/null
# Inside a container loopback reaches nobody. What is published to whom is for `docker run -p` to say; there is no password.
# A container's log is its standard output.
ENV ETHNET_GRPC_ADDR=0.0.0.0 ETHNET_HTTP_ADDR=0.0.0.0 ETHNET_LOG_OUTPUT=stdout
USER ethnet
WORKDIR /data
EXPOSE 9001/udp 10001/tcp 12001/tcp
CMD ["EthNetLite", "9001"]
