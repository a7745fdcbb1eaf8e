#!/usr/bin/env bash
# Starts docker-compose.yml for real and checks that the workload's request arrives with the secret that OpenBao holds,
# which neither the workload nor any log of the sidecar ever shows.
#
#   CLAVIGER_BIN       the sidecar's binary (target/release/claviger)
#   CLAVIGER_UPSTREAM  the echo upstream's (target/release/echo-upstream)
#   CLAVIGER_TOOLS     as in tests/tools.sh
#
# Base images that the engine does not have are made on the spot from Debian packages and the installed OpenBao, and
# removed again. Exit code 77: no container engine can run here.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tools=${CLAVIGER_TOOLS:-$root/.tools}
binary=${CLAVIGER_BIN:-$root/target/release/claviger}
upstream=${CLAVIGER_UPSTREAM:-$root/target/release/echo-upstream}
export PATH=$tools/bin:$PATH:/usr/sbin:/sbin

readonly debian=debian:bookworm-slim openbao=openbao/openbao:2.7.2 curl=curlimages/curl:8.17.0
readonly no_engine=77
work=$(mktemp -d)
engine_pid=
made=()

say() { echo "compose: $*" >&2; }

compose() { (cd "$work/project" && docker-compose -p "claviger-test-$$" "$@"); }

clean_up() {
    local code=$?
    if [[ -f $work/project/docker-compose.yml ]]; then
        [[ $code -eq 0 ]] || compose logs --no-color >&2 || true
        compose down --volumes --rmi local --timeout 5 >&2 || true
    fi
    [[ ${#made[@]} -eq 0 ]] || docker image rm "${made[@]}" >/dev/null || true
    if [[ -n $engine_pid ]]; then
        kill "$engine_pid" && wait "$engine_pid" || true
    fi
    rm -rf "$work" || true
}
trap clean_up EXIT

# The engine that runs, else one of our own with everything it keeps in the work folder.
start_engine() {
    docker info >/dev/null 2>&1 && return
    [[ $(id -u) -eq 0 ]] || { echo "no container engine runs, and only root can start one"; exit "$no_engine"; }
    export DOCKER_HOST=unix://$work/docker.sock
    dockerd --host "$DOCKER_HOST" --data-root "$work/data" --exec-root "$work/exec" --pidfile "$work/docker.pid" \
        >"$work/dockerd.log" 2>&1 &
    engine_pid=$!
    for _ in {1..60}; do
        docker info >/dev/null 2>&1 && return
        kill -0 "$engine_pid" 2>/dev/null || break
        sleep 0.5
    done
    echo "dockerd does not start here: $(grep -E 'failed|error' "$work/dockerd.log" | tail -1)"
    exit "$no_engine"
}

has() { docker image inspect "$1" >/dev/null 2>&1; }

# A Debian root with curl, kept in the tools folder because it takes half a minute to make.
make_debian() {
    local tar=$tools/images/bookworm-curl.tar
    if [[ ! -f $tar ]]; then
        say "making a Debian base image"
        mkdir -p "$tools/images"
        debootstrap --variant=minbase --include=curl,ca-certificates bookworm "$work/debian" >"$work/debootstrap.log" 2>&1 ||
            { tail -5 "$work/debootstrap.log" >&2; return 1; }
        tar -C "$work/debian" --exclude=./var/cache/apt --exclude=./var/lib/apt/lists --one-file-system -cf "$tar.$$" .
        mv "$tar.$$" "$tar"
    fi
    docker import "$tar" "$1" >/dev/null
    made+=("$1")
}

make_images() {
    has "$debian" || make_debian "$debian"
    has "$curl" || { docker tag "$debian" "$curl"; made+=("$curl"); }
    if ! has "$openbao"; then
        mkdir "$work/openbao"
        cp -L "$tools/bin/bao" "$work/openbao/bao"
        printf 'FROM %s\nCOPY bao /usr/local/bin/bao\n' "$debian" >"$work/openbao/Dockerfile"
        DOCKER_BUILDKIT=0 docker build --quiet -t "$openbao" "$work/openbao" >/dev/null 2>"$work/build.log" ||
            { cat "$work/build.log" >&2; return 1; }
        made+=("$openbao")
    fi
}

# The checkout as a person would have it, with the binaries where the Dockerfiles look for them.
stage() {
    local project=$work/project
    mkdir -p "$project/target/dist" "$project/target/release" "$project/policy-wasm/rego/dist"
    cp -r "$root/docker-compose.yml" "$root/.dockerignore" "$root/deploy" "$project/"
    cp "$root/policy-wasm/rego/dist/baseline.tar.gz" "$project/policy-wasm/rego/dist/"
    cp "$binary" "$project/target/dist/claviger"
    cp "$upstream" "$project/target/release/echo-upstream"
}

fail() { say "FAILED: $*"; exit 1; }

check() {
    local answer token logs
    answer=$(compose run --rm -T workload -i http://127.0.0.1:8080/echo/hello)
    grep -q '^HTTP/1.1 200' <<<"$answer" || fail "the workload got: $answer"
    token=$(compose logs --no-color echo | grep -oiE 'authorization: bearer demo-[0-9a-f]{32}' | head -1 | grep -oE 'demo-.*') ||
        fail "no injected token at the upstream"
    [[ $token == $(compose exec -T -e BAO_ADDR=http://127.0.0.1:8200 -e BAO_TOKEN=demo-root openbao \
        bao kv get -field=token secret/demo | tr -d '\r\n') ]] || fail "the token is not the one that OpenBao holds"
    compose stop --timeout 20 claviger
    [[ $(docker inspect -f '{{.State.ExitCode}}' "$(compose ps -q claviger)") == 0 ]] || fail "the sidecar did not stop cleanly"
    logs=$(compose logs --no-color claviger)
    grep -q '"outcome":"allow"' <<<"$logs" || fail "no audit record on the sidecar's standard output"
    ! grep -qF "$token" <<<"$answer$logs" || fail "the token is in the workload's answer or in the sidecar's output"
}

[[ -x $binary ]] || fail "no binary at $binary"
[[ -x $upstream ]] || fail "no binary at $upstream"
start_engine
make_images
stage
compose up -d --build echo openbao setup claviger >"$work/up.log" 2>&1 || { cat "$work/up.log" >&2; fail "docker-compose up"; }
check
say "ok: the upstream got the secret from OpenBao, and nobody else did"
