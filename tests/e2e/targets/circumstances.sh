#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a command can see of its circumstances, and the doings most likely to fail under a tracer that changes them: its
# identity and limits, mounts, permissions, setuid, chroot. Writes all that into FILE; two runs must not differ.
#
#   circumstances.sh FILE SCRATCH_DIR
set -u
exec >"$1" 2>&1
dir=$2
rm -rf "$dir"
mkdir -p "$dir"
chmod 755 "$dir"
cd "$dir" || exit 1

echo '== identity'
id
umask
nice
cat /proc/self/limits
pwd
env | grep -v '^_=' | sort
grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp|Sig(Blk|Ign|Cgt)|Shd|Umask)' /proc/self/status
for fd in /proc/self/fd/*; do
	echo "fd ${fd##*/}"
done
for namespace in cgroup ipc net pid user uts; do
	readlink /proc/self/ns/$namespace
done
cat /proc/self/oom_score_adj /proc/self/cgroup

echo '== the libraries that it maps'
ldd /bin/sh | sed 's/ (0x[0-9a-f]*)//'
for library in $(ldd /bin/sh | grep -o '/[^ ]*'); do
	stat -Lc '%n %A %u %g %s %y' "$library"
	md5sum <"$library"
done
sed -n 's/.* r-xp .* \(\/.*\)/\1/p' /proc/self/maps

echo '== mounts'
mkdir mounted
mount -t tmpfs -o size=64k,mode=700 none mounted && echo mounted
echo text >mounted/file
cat mounted/file
stat -fc '%T' mounted
stat -c '%A' mounted
grep -c " $dir/mounted " /proc/self/mounts
umount mounted && ls -A mounted
mount --bind /proc/sys/kernel mounted && cat mounted/ostype
umount mounted
touch /proc/heaptap-test

echo '== permissions'
touch file
chmod 640 file
chown 65534:65534 file
stat -c '%A %u %g' file
setpriv --reuid 65534 --regid 65534 --clear-groups cat file && echo readable
setpriv --reuid 65533 --regid 65533 --clear-groups cat file || echo unreadable
setpriv --reuid 65534 --regid 65534 --clear-groups sh -c 'id; grep CapEff /proc/self/status; touch other'

echo '== setuid'
cp /usr/bin/id privileged
chmod 4755 privileged
setpriv --reuid 65534 --regid 65534 --clear-groups ./privileged
setpriv --no-new-privs --reuid 65534 --regid 65534 --clear-groups ./privileged

echo '== chroot'
mkdir root
for file in /bin/sh $(ldd /bin/sh | grep -o '/[^ ]*'); do
	cp -L --parents "$file" root
done
chroot root /bin/sh -c 'cd /; pwd; echo *; echo $((6 * 7))'

echo '== temporary files'
temporary=$(mktemp) && echo 'exit 5' >"$temporary" && chmod +x "$temporary"
"$temporary" 2>/dev/null
echo "status $?"
rm -f "$temporary"
exit 9
