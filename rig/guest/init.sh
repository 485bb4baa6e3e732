#!/bin/sh
# First program of the virtual rack: drives' modules, the system drive, an overlay over the host's files, then systemd.
# Nothing of the host can be written here: everything but the rack's work folder (/rack) is bound read-only outside.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
root=/newroot
mountpoint -q /proc || mount -t proc proc /proc
mountpoint -q /sys || mount -t sysfs sys /sys
mountpoint -q /dev || mount -t devtmpfs dev /dev
mount -t tmpfs -o mode=755 run /run

checkout=$(sed -n 's/.*rack\.checkout=\([^ ]*\).*/\1/p' /proc/cmdline)
mkdir -p /run/m/lib /run/rack/chassis /run/system /run/layer
ln -s /usr/lib/uml/modules /run/m/lib/modules
modprobe -d /run/m -a overlay fuse configfs sd_mod target_core_mod target_core_iblock tcm_loop

# /run/system stays visible: programs recognise the system drive by it. What is written lands there and outlives a power cut.
mount -t ext4 /dev/ubda /run/system
mkdir -p /run/system/upper /run/system/work
# A mount of its own, because overlayfs refuses layers of which one lies inside the other.
# Linux 6.11 gave the path a name.
mount -t hostfs -o /rack/layer layer /run/layer 2>/dev/null || mount -t hostfs -o hostfs=/rack/layer layer /run/layer
mount -t overlay -o lowerdir=/run/layer:/,upperdir=/run/system/upper,workdir=/run/system/work rackeye $root
mount -t tmpfs -o mode=1777 tmp $root/tmp
case $checkout in /tmp/*) mkdir -p "$root$checkout"; mount --bind "$checkout" "$root$checkout" ;; esac

ip link set lo up
ip addr add 10.0.2.15/24 dev vec0
ip link set vec0 up
exec switch_root $root /lib/systemd/systemd --unit=rack.target
