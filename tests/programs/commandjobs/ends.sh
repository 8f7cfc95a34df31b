#!/bin/sh
echo "ending by $1 $2"
case $1 in
    exit) exit "$2" ;;
    signal) kill -s "$2" $$ ;;
esac
