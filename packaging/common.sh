# What the scripts of this folder share; they source it.
# shellcheck shell=bash
# Variables are read there, or by their names.
# shellcheck disable=SC2034
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

fail() {  # fail REASON
    echo "${0##*/}: $1" >&2
    exit 1
}

# What Cargo.toml says of the program.
fact() {  # fact version|description|license|repository
    sed -n "s/^$1 = \"\(.*\)\"/\1/p" "$root/Cargo.toml" | head -n 1
}
version=$(fact version)

# Its description in some lines.
describe() {
    cat <<END
stern-rs follows the logs of many pods and containers at once, merged and in
colour, loses no line, and keeps the load on the apiserver low. It accepts the
options of stern, and reads structured logs. It can be called as a plugin of
kubectl too: kubectl stern-rs.
END
}

# The targets that are released: all but the one that only the checks build.
released() {
    sed -n '/-windows-gnu/d; s/^\([a-z0-9_]\{1,\}-[^ ]*\).*/\1/p' "$root/packaging/targets"
}

# The columns of targets.
fact_of() {  # fact_of deb|rpm|archive TARGET
    local target deb rpm archive
    while read -r target deb rpm archive; do
        [[ $target == "$2" ]] && echo "${!1}" && return
    done <"$root/packaging/targets"
    fail "$2 is not in packaging/targets"
}

# Packages are the same, byte for byte, if they are made again: every file has the time of the commit.
make_repeatable() {
    export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct)}
    export TZ=UTC LC_ALL=C
    umask 022
    now=@$SOURCE_DATE_EPOCH
}

# Puts the files of a package into a folder, by the columns of contents.
stage() {  # stage archive|deb|rpm TARGET PROGRAM FOLDER
    local kind from archive deb rpm place exe=
    [[ $2 == *-windows-* ]] && exe=.exe
    while read -r kind from archive deb rpm; do
        place=$4/${!1}
        [[ $kind == '#'* || ${!1} == - ]] && continue
        mkdir -p "${place%/*}"
        case $kind,$exe in
            program,*) install -m 755 "$3" "$place$exe" ;;
            link,) ln -s "$from" "$place" ;;
            link,*) install -m 755 "$3" "$place$exe" ;;
            file,*) put "$from" "$2" "$place" ;;
        esac
    done <"$root/packaging/contents"
    find "$4" -exec touch --no-dereference --date "${now:?}" {} +
}

put() {  # put FROM TARGET PLACE
    local text=$root/$1
    if [[ $1 == THIRD-PARTY ]]; then
        text=$(mktemp)
        "$root/packaging/licences" "$2" >"$text"
    fi
    case $3 in
        *.gz) gzip --best --no-name <"$text" >"$3" ;;
        *) install -m 644 "$text" "$3" ;;
    esac
    chmod 644 "$3"
    [[ $1 != THIRD-PARTY ]] || rm "$text"
}
