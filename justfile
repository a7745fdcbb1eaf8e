# One recipe per CI step, the same commands as on CI: tests/run holds them.

# everything CI does
ci:
    tests/run

# everything but the slow tests
quick:
    tests/run --quick

# install the real servers and tools that the tests use
tools *NAMES:
    tests/tools.sh {{NAMES}}

fmt:
    tests/run fmt

clippy:
    tests/run clippy

build:
    tests/run build

test:
    tests/run tools build test

docs:
    tests/run docs

deny:
    tests/run deny

# CPU per request beside nginx
bench:
    benches/side-by-side
