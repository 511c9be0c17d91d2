# One binary, no shell, no root.
FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN GOWORK=off go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 GOWORK=off go build -trimpath -ldflags "-X main.version=${VERSION}" -o /recourse ./cmd/recourse \
 && mkdir /journals /sealer /witness /public

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /recourse /recourse
# A named volume takes its owner from here, so that who mounts it can write to it.
COPY --from=build --chown=nonroot:nonroot /journals /journals
COPY --from=build --chown=nonroot:nonroot /sealer /sealer
COPY --from=build --chown=nonroot:nonroot /witness /witness
COPY --from=build --chown=nonroot:nonroot /public /public
ENTRYPOINT ["/recourse"]
