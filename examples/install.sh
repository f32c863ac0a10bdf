# Sourced by the scripts that set a machine up: install_packages NAME... installs the Debian packages that are missing.
# Says what it is about to install; works as root or with sudo.
install_packages() {
    missing=""
    for package in "$@"; do
        # A virtual or renamed package counts as there when something provides it.
        dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed' || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null || { echo "install these first, this is no Debian:$missing" >&2; return 1; }
    as_root=""
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || { echo "installing$missing needs root or sudo" >&2; return 1; }
        as_root="sudo"
    fi
    echo "installing with apt-get:$missing"
    $as_root apt-get update -qq || { echo "apt-get update failed" >&2; return 1; }
    # shellcheck disable=SC2086 # the names are to be split
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing >/dev/null ||
        { echo "apt-get could not install:$missing" >&2; return 1; }
}
