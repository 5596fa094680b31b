# SPDX-License-Identifier: MIT
# Builds talkface's Debian package and installs it, with all that it recommends, into an image of its own:
#
#   docker build -t talkface .
#   docker run --rm -v "$PWD:/media" talkface render -i portrait.jpg -a speech.wav -o talking.mp4
#
# It runs as user 1000, who must be allowed to write the folder (or give --user "$(id -u)").
# scripts/check_dockerfile.sh runs both stages without Docker.
ARG DEBIAN=bookworm

FROM debian:${DEBIAN}-slim AS build
WORKDIR /src
# Packages and libtorch in a layer of their own: they change seldom.
COPY scripts/setup.sh scripts/requirements.txt scripts/requirements-nets.txt scripts/
RUN scripts/setup.sh
COPY . .
RUN scripts/build.sh build -Dtests=false && scripts/make_deb.sh build /out

FROM debian:${DEBIAN}-slim
# The package's recommendations are encoders and decoders. It is mounted, not copied: no layer keeps it.
# Versions are a stable Debian's: pinned ones would miss its security updates.
# hadolint ignore=DL3008
RUN --mount=type=bind,from=build,source=/out,target=/packages \
    apt-get update && \
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      /packages/talkface_*.deb gstreamer1.0-tools \
      gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-libav webp-pixbuf-loader && \
    rm -rf /var/lib/apt/lists/* && \
    useradd --uid 1000 --create-home talkface && \
    install -d -o talkface /media
USER 1000
WORKDIR /media
ENTRYPOINT ["talkface"]
CMD ["--help"]
