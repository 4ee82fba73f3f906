# koe as an image: one static program, the certificates that mail servers and
# webhooks are checked with, and two folders that belong to nobody special.
#
#   docker build -t koe .
#   docker run -p 127.0.0.1:8080:8080 -v koe:/data koe
#
# The volume keeps the database and the secret that links are derived from:
# back up both together.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# Names and users are looked up by Go itself, so that nothing of the C library
# is needed at run time. The linker's warning about dlopen is of SQLite's
# loadable extensions, which koe does not use.
RUN CGO_ENABLED=1 go build -tags netgo,osusergo -ldflags '-s -w -linkmode external -extldflags -static' -o /image/koe .
RUN mkdir -p /image/data /image/tmp

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build --chown=65532:65532 /image/ /
ENV KOE_LISTEN=0.0.0.0:8080 \
    KOE_DATABASE_URL=sqlite:/data/koe.db \
    KOE_LOG_FORMAT=json
USER 65532:65532
WORKDIR /data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["/koe"]
CMD ["serve"]
