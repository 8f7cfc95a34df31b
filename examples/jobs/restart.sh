#!/bin/sh
# Pretends to restart a service, and asks before it does: answer in the page.
printf 'Really restart %s? [y/N] ' "$1"
read -r answer
case $answer in
    [yY]*) ;;
    *) echo "Nothing was done."; exit ;;
esac
for step in stopping starting; do
    echo "$step $1"
    sleep 1
done
echo "$1 is up"
