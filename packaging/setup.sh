#!/usr/bin/env bash
# Makes .venv in the checkout ready for `make run` (setup.sh run) or `make test` (setup.sh test).
#
# Looks for Python, the system libraries that Qt and VTK load, and, for tests, Xvfb.  What is missing is installed
# where that needs no question (root, or sudo without a password); otherwise one line says what to install.
# Done once, it takes a fraction of a second: .venv keeps a stamp of what it was made from.
# PYTHON=python3.12 chooses the interpreter.  pip's own settings (PIP_...) are passed on.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin # ldconfig; not on every user's PATH

purpose=${1:-run}
case $purpose in run | test) ;; *) echo "usage: packaging/setup.sh [run|test]" >&2; exit 2 ;; esac

# What `ldd` finds missing on a bare Debian for PySide6's xcb plugin and OpenGL integration; VTK loads libGL or libEGL.
# Names are Debian 12's; Debian 13 knows them too.
libraries="
    libEGL.so.1            libegl1
    libGL.so.1             libgl1
    libX11.so.6            libx11-6
    libX11-xcb.so.1        libx11-xcb1
    libdbus-1.so.3         libdbus-1-3
    libfontconfig.so.1     libfontconfig1
    libfreetype.so.6       libfreetype6
    libglib-2.0.so.0       libglib2.0-0
    libgthread-2.0.so.0    libglib2.0-0
    libxcb.so.1            libxcb1
    libxcb-cursor.so.0     libxcb-cursor0
    libxcb-glx.so.0        libxcb-glx0
    libxcb-icccm.so.4      libxcb-icccm4
    libxcb-image.so.0      libxcb-image0
    libxcb-keysyms.so.1    libxcb-keysyms1
    libxcb-randr.so.0      libxcb-randr0
    libxcb-render.so.0     libxcb-render0
    libxcb-render-util.so.0 libxcb-render-util0
    libxcb-shape.so.0      libxcb-shape0
    libxcb-shm.so.0        libxcb-shm0
    libxcb-sync.so.1       libxcb-sync1
    libxcb-util.so.1       libxcb-util1
    libxcb-xfixes.so.0     libxcb-xfixes0
    libxcb-xkb.so.1        libxcb-xkb1
    libxkbcommon.so.0      libxkbcommon0
    libxkbcommon-x11.so.0  libxkbcommon-x11-0
"

say() { echo "synthview setup: $*" >&2; }

# The first Python that is new enough; fails if there is none.
find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

has_font() {
    local folders=(/usr/share/fonts /usr/local/share/fonts "${HOME:-}/.fonts" "${HOME:-}/.local/share/fonts")
    [ -n "$(find "${folders[@]}" -name '*.[to]t[fc]' -print -quit 2>/dev/null)" ]
}

# Fills `missing` (what a person would name) and `packages` (Debian's names for it).
find_missing() {
    missing=() packages=()
    local found library package python
    if ! python=$(find_python); then
        missing+=("Python 3.11 or newer") packages+=(python3 python3-venv)
    elif ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        missing+=("Python's venv module")
        packages+=("$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')")
    fi
    [ "$(uname -s)" = Linux ] || return 0
    found=$(ldconfig -p 2>/dev/null || true)
    while read -r library package; do
        [[ -z $library || $found == *"$library "* ]] || { missing+=("$library"); packages+=("$package"); }
    done <<<"$libraries"
    has_font || { missing+=("a font"); packages+=(fonts-dejavu-core); }
    if [ "$purpose" = test ]; then
        command -v Xvfb >/dev/null || { missing+=(Xvfb); packages+=(xvfb); }
        command -v xvfb-run >/dev/null || { missing+=(xvfb-run); packages+=(xvfb); }
        command -v xauth >/dev/null || { missing+=(xauth); packages+=(xauth); }
    fi
}

# Runs apt-get without asking; fails where that is not allowed or does not work.
apt_install() {
    command -v apt-get >/dev/null || return 1
    local as_root=()
    if [ "$(id -u)" != 0 ]; then
        sudo -n true 2>/dev/null || return 1
        as_root=(sudo -n)
    fi
    say "installing $*"
    "${as_root[@]}" apt-get update -qq >&2 || true
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

set_up_system() {
    find_missing
    [ ${#missing[@]} = 0 ] && return
    mapfile -t packages < <(printf '%s\n' "${packages[@]}" | sort -u)
    if apt_install "${packages[@]}"; then
        find_missing
        [ ${#missing[@]} = 0 ] && return
    fi
    if command -v apt-get >/dev/null; then
        say "please install what is missing, then try again: sudo apt-get install --no-install-recommends ${packages[*]}"
    else
        say "please install what is missing with your system's package manager, then try again: ${missing[*]}"
    fi
    # On a machine without a display the commands work all the same, if only there is a Python.
    if [ "$purpose" = run ] && [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] && [[ "${missing[*]}" != *Python* ]]; then return; fi
    exit 1
}

# Studies may lie in PostgreSQL; the tests start a server of their own, and skip that where there is none.
set_up_database() {
    [ "$purpose" = test ] && [ "$(uname -s)" = Linux ] || return 0
    command -v initdb >/dev/null && return
    compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null && return
    apt_install postgresql || say "PostgreSQL isn't installed, so its tests are skipped (Debian's package: postgresql)"
}

set_up_python() {
    local python what stamp
    python=$(find_python)
    what=$({ pwd; "$python" -VV; cat pyproject.toml packaging/setup.sh; } | sha256sum)
    for stamp in .venv/stamp-test ".venv/stamp-$purpose"; do # an environment for tests also runs the window
        if [ "$(cat "$stamp" 2>/dev/null)" = "$what" ] && .venv/bin/python -c 'import synthview' 2>/dev/null; then
            return
        fi
    done
    say "preparing .venv with $("$python" -V); the first time this takes some minutes"
    .venv/bin/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
        "$python" -m venv --clear .venv
    local quiet=() group=()
    [ -t 1 ] || quiet=(--quiet)
    [ "$purpose" = run ] || group=(--group dev)
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1" # knows --group
    .venv/bin/python -m pip install "${quiet[@]}" "${group[@]}" --editable .
    echo "$what" >".venv/stamp-$purpose"
}

set_up_system
set_up_database
set_up_python
