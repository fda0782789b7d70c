#!/bin/sh
# Runs a command as on a machine without any graphics driver: in a mount namespace of its own where
# no Vulkan loader, no Vulkan driver and no Mesa EGL or GL can be seen. Needs root, changes nothing
# outside. Example: tests/support/without_vulkan.sh ./babelscope identify
set -eu

if [ "${1-}" != --masked ]; then
  exec unshare --mount -- "$0" --masked "$@"
fi
shift

# A library that cannot be read amounts to one that is not there.
for library in /usr/lib/*/libvulkan* /usr/lib/*/libEGL* /usr/lib/*/libGL* /usr/lib/chromium/libvk*; do
  if [ -f "$library" ]; then mount --bind /dev/null "$(readlink -f "$library")"; fi
done
for folder in /usr/share/vulkan /usr/local/share/vulkan /etc/vulkan; do
  if [ -d "$folder" ]; then mount -t tmpfs none "$folder"; fi
done

exec "$@"
