#!/bin/sh
# Makes the environment in .venv/, or finds within milliseconds that it is there already.
#
# The stamp is written last and names the lock file, the pyproject.toml and the folder that
# the environment was made for. Without it, or for another lock file, .venv/ is made anew, so
# an interrupted run heals itself. Where flock is to be had, a second run waits for the first.
set -eu
cd "$(dirname "$0")/.."

lock=requirements/dev.txt
stamp=.venv/stamp
packages="$(pwd) $(cksum <"$lock")"
project="$(cksum <pyproject.toml)"

say() { printf 'environment: %s\n' "$*" >&2; }

made_for() { # LINE TEXT: whether that line of the stamp says so, and Python is still there
    [ -x .venv/bin/python ] && [ -f "$stamp" ] && [ "$(sed -n "$1p" "$stamp")" = "$2" ]
}

find_uv() {
    for uv in uv "${HOME:-}/.local/bin/uv"; do
        if command -v "$uv" >/dev/null 2>&1; then return; fi
    done
    uv=
}

find_python() { # CODE: the first Python that runs it without an error
    for python in python3 python3.13 python3.12 python3.11 python; do
        if "$python" -c "$1" 2>/dev/null; then return; fi
    done
    return 1
}

require_python() {
    new_enough='import sys; sys.exit(sys.version_info < (3, 11))'
    if find_python "import ensurepip, venv; $new_enough"; then return; fi
    if find_python "$new_enough"; then
        say "$("$python" --version) cannot make environments: its venv module is missing."
    else
        say 'Python 3.11 or newer is needed and none was found.'
    fi
    say 'Install it (Debian, Ubuntu: apt-get install python3-venv) or uv, and try again.'
    exit 1
}

make_with_uv() {
    say "making .venv with $("$uv" --version)"
    "$uv" venv --quiet --clear --python '>=3.11' .venv
    "$uv" pip sync --quiet --compile-bytecode --python .venv/bin/python --require-hashes "$lock"
}

make_with_pip() {
    require_python
    say "making .venv with $("$python" --version) and pip (about a minute; uv is faster)"
    "$python" -m venv --clear .venv
    .venv/bin/python -m pip install -qq --disable-pip-version-check \
        --no-deps --require-hashes --requirement "$lock"
}

install_project() { # The build runs on locked packages and fetches nothing.
    if [ -n "$uv" ]; then
        "$uv" pip install --quiet --python .venv/bin/python \
            --no-deps --no-build-isolation --editable .
    else
        .venv/bin/python -m pip install -qq --disable-pip-version-check \
            --no-deps --no-build-isolation --editable .
    fi
}

if made_for 1 "$packages" && made_for 2 "$project"; then exit 0; fi

exec 9<"$lock"
if command -v flock >/dev/null 2>&1 && ! flock --nonblock 9; then
    say 'another run is making it, waiting'
    flock 9
fi
if made_for 1 "$packages" && made_for 2 "$project"; then exit 0; fi

find_uv
if made_for 1 "$packages"; then
    say 'pyproject.toml has changed: installing the project again'
    rm -f "$stamp"
else
    rm -f "$stamp"
    if [ -n "$uv" ]; then make_with_uv; else make_with_pip; fi
fi
install_project
printf '%s\n%s\n' "$packages" "$project" >"$stamp.new"
mv "$stamp.new" "$stamp"
say 'ready'
