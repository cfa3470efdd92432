# The image of a release: the program, the authorities that sign the certificates of public servers, and nothing else.
#
# packaging/image makes the folder of the files, with the static program of packaging/build for each architecture, and
# builds the image from it. To use one: docs/install.md.
FROM scratch
ARG TARGETARCH
COPY all/ /
COPY ${TARGETARCH}/ /bin/
ENV PATH=/bin HOME=/tmp
# A number, so that Kubernetes can tell that it is not root.
USER 65532:65532
WORKDIR /tmp
ENTRYPOINT ["/bin/stern-rs"]
