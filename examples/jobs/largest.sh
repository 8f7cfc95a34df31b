#!/bin/sh
# The largest files and folders in a folder: largest.sh [--hidden] --number=5 -- FOLDER
set -eu

hidden=no
number=5
while [ "$1" != -- ]; do
    case $1 in
        --hidden) hidden=yes ;;
        --number=*) number=${1#--number=} ;;
        *) echo "unknown option: $1" >&2; exit 2 ;;
    esac
    shift
done
cd -- "$2"

echo "The $number largest of $(pwd):"
find . -mindepth 1 -maxdepth 1 | while read -r path; do
    case $path in ./.*) [ $hidden = yes ] || continue ;; esac
    du -sk -- "$path"
done | sort -rn | head -n "$number" | awk '{ size = $1; sub(/^[0-9]+[ \t]+\.\//, ""); printf "%10d KiB  %s\n", size, $0 }'
