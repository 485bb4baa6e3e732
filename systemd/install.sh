#!/bin/sh
# install.sh ROOT PROFILE [SYSFS]: puts units, rules, users and settings of this checkout under ROOT (`/` on a real box).
# The program itself is the virtual environment that ROOT/usr/lib/rackeye points to.
set -eu
root=${1:?usage: install.sh ROOT PROFILE [SYSFS]}
profile=${2:?usage: install.sh ROOT PROFILE [SYSFS]}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
venv=$(dirname -- "$here")/.venv

put() { # put MODE FOLDER FILE...
    mode=$1 folder=$2; shift 2
    install -d "$root/$folder"
    install -m "$mode" -t "$root/$folder" "$@"
}

put 644 usr/lib/systemd/system "$here"/units/*
put 644 usr/lib/systemd/system/dbus.service.d "$here"/dbus.service.d/*
put 644 usr/lib/sysusers.d "$here"/sysusers.d/*
put 644 usr/lib/tmpfiles.d "$here"/tmpfiles.d/*
put 644 usr/share/dbus-1/system.d "$here"/dbus/*
put 644 etc/mdadm/mdadm.conf.d "$here"/mdadm/*
put 644 usr/share/rackeye "$here"/settings/rackeye.toml
put 644 usr/share/man/man1 "$here"/../docs/ref/rackeye.1
install -d "$root/usr/share/bash-completion/completions"
"$venv/bin/rackeye" completion bash > "$root/usr/share/bash-completion/completions/rackeye"
install -d "$root/usr/lib" "$root/usr/bin" "$root/usr/lib/udev/rules.d" "$root/etc/udev/rules.d" "$root/etc/rackeye"
ln -sfn "$venv" "$root/usr/lib/rackeye"
ln -sfn ../lib/rackeye/bin/rackeye "$root/usr/bin/rackeye"
ln -sfn ../lib/rackeye/bin/nr-switch-to-redundant "$root/usr/bin/nr-switch-to-redundant"
"$venv/bin/rackeye-paneld" --udev-rules "$profile" > "$root/usr/lib/udev/rules.d/60-rackeye-bays.rules"
# Debian's rule runs `mdadm -If` at a removal, and a failed array vanishes; its monitor moves spares behind our back.
# A file, no link to /dev/null: mdadm's hook copies only files into the initramfs, which would then have Debian's rule.
rm -f "$root/etc/udev/rules.d/64-md-raid-assembly.rules"
echo '# Arrays are assembled by rackeye-raidd only.' > "$root/etc/udev/rules.d/64-md-raid-assembly.rules"
install -d "$root/etc/systemd/system"
for unit in mdmonitor.service mdmonitor-oneshot.timer mdcheck_start.timer mdcheck_continue.timer; do
    ln -sfn /dev/null "$root/etc/systemd/system/$unit"
done
# Debian's checks by cron (and its mails) are not beside ours; mdadm's package keeps what is set here.
if [ -e "$root/etc/default/mdadm" ]; then
    sed -i -E 's/^(AUTOCHECK|AUTOSCAN|START_DAEMON)=.*/\1=false/' "$root/etc/default/mdadm"
fi
# Where the profile has a power button paneld reads it; logind would shut down at the press, and know no long one.
if "$venv/bin/python" -c 'import sys; from core.paths import Paths; from hw import profile
sys.exit(not any(one.role == "power" for one in profile.load(sys.argv[1], Paths()).buttons))' "$profile"; then
    install -d "$root/etc/systemd/logind.conf.d"
    printf '[Login]\nHandlePowerKey=ignore\nHandleRebootKey=ignore\n' > "$root/etc/systemd/logind.conf.d/rackeye.conf"
fi
# A person's settings are never overwritten.
if [ ! -e "$root/etc/rackeye/rackeye.toml" ]; then
    { echo '[chassis]'; echo "profile = \"$profile\""; [ -z "${3-}" ] || echo "sysfs = \"$3\""; } > "$root/etc/rackeye/rackeye.toml"
fi
# It may hold a mail server's password: for root and the daemons only (tmpfiles.d gives it to the group at each boot).
chmod 640 "$root/etc/rackeye/rackeye.toml"
if group=$(grep '^rackeye:' "$root/etc/group" 2>/dev/null | cut -d: -f3) && [ -n "$group" ]; then
    chown "0:$group" "$root/etc/rackeye/rackeye.toml"
fi
# What a restore to default goes back to; an installation over an older one does not take the person's for the factory's.
install -d "$root/usr/share/rackeye/factory"
for file in rackeye/rackeye.toml hostname; do
    keep="$root/usr/share/rackeye/factory/${file##*/}"
    if [ -e "$root/etc/$file" ] && [ ! -e "$keep" ]; then cp "$root/etc/$file" "$keep"; fi
done
if [ "$root" = / ] && command -v update-initramfs > /dev/null; then update-initramfs -u; fi
