/* Loaded before linux.uml (LD_PRELOAD, rig/kernel.py): what User Mode Linux tells the host of a process's wide registers.

   1. On a CPU whose registers take more room than the 2696 bytes that User Mode Linux 6.1 and 6.12 know (AMX: 11008),
      the host takes them only whole (xstateregs_set in arch/x86/kernel/fpu/regset.c: EFAULT), and the guest's first
      program ends with "ptrace set fp regs failed, errno = 14". They are handed on whole, the rest zero, which is what
      the host calls "not in use". Nobody in the guest can use that rest: the guest grants nobody the permission.
   2. A process that is resumed as it was stopped is not told its own registers once more: a third of a system call's
      time. What the host holds is known only from the last look at it until anything lets the process run.
   3. A request to a disk that finds the socket to the thread that reads and writes the files full is not sent, and asked
      for again only once another request to that disk has ended: when there is none, never (ubd_queue_rq). Some hundred
      requests to other disks fill it, such as those of a resync. Here it waits until there is room.
   4. An alarm is lost now and then; unblock_signals (arch/um/os-Linux/signal.c, 6.1) throws away those that come while
      another is handled. Seen is the outcome: the host's timer is not set, the guest counts on it for its next one, and
      turns in its idle loop until a disk or the network happens to wake it for a moment. With timers of 20 us and busy
      disks three of five racks came to that within 200 s. An idle guest looks at its alarm first (os_idle_sleep); one
      that was set, is over, and has not been set again by the second look, was lost, and comes once more. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { KNOWN = 256, LARGEST = 4096 };

struct registers {
  pid_t of; /* 0: not known */
  size_t length;
  char bytes[LARGEST];
};

/* No locks: User Mode Linux has one CPU, and does not switch between its own threads in here. */
static long (*host)(int, ...);
static struct registers known[KNOWN];
static char whole[64 * 1024] __attribute__((aligned(64)));
static size_t size_of_whole;

static int (*host_settime)(timer_t, int, const struct itimerspec *, struct itimerspec *);
static int (*host_gettime)(timer_t, struct itimerspec *);
static int alarm_is_due, looks_since;

__attribute__((constructor)) static void find_host(void) {
  host = dlsym(RTLD_NEXT, "ptrace");
  host_settime = dlsym(RTLD_NEXT, "timer_settime");
  host_gettime = dlsym(RTLD_NEXT, "timer_gettime");
}

static long hand_on(pid_t pid, void *kind, struct iovec *given) {
  if (size_of_whole == 0) {
    struct iovec all = {whole, sizeof whole};
    if (host(PTRACE_GETREGSET, pid, kind, &all) < 0) return -1;
    size_of_whole = all.iov_len;
    memset(whole, 0, sizeof whole);
  }
  if (given->iov_len >= size_of_whole) return host(PTRACE_SETREGSET, pid, kind, given);
  memcpy(whole, given->iov_base, given->iov_len);
  struct iovec all = {whole, size_of_whole};
  return host(PTRACE_SETREGSET, pid, kind, &all);
}

long ptrace(enum __ptrace_request asked, ...) {
  va_list arguments;
  va_start(arguments, asked);
  pid_t pid = va_arg(arguments, pid_t);
  void *kind = va_arg(arguments, void *);
  struct iovec *data = va_arg(arguments, struct iovec *);
  va_end(arguments);

  int request = asked;
  if (request == PTRACE_GETREGS || request == PTRACE_SETREGS) return host(request, pid, kind, data); /* not these */
  struct registers *last = &known[pid % KNOWN];
  int wide = (long)kind == NT_X86_XSTATE;
  if (wide && request == PTRACE_SETREGSET && last->of == pid && last->length == data->iov_len &&
      memcmp(last->bytes, data->iov_base, data->iov_len) == 0)
    return 0;
  if (last->of == pid) last->of = 0;
  if (wide && request == PTRACE_SETREGSET) return hand_on(pid, kind, data);
  long result = host(request, pid, kind, data);
  if (wide && request == PTRACE_GETREGSET && result == 0 && data->iov_len <= LARGEST) {
    last->of = pid;
    last->length = data->iov_len;
    memcpy(last->bytes, data->iov_base, data->iov_len);
  }
  return result;
}

static int leads_to_the_disks(int fd, size_t count) {
  int domain = 0;
  socklen_t size = sizeof domain;
  return count == sizeof(void *) && getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX;
}

ssize_t write(int fd, const void *from, size_t count) {
  ssize_t done = syscall(SYS_write, fd, from, count);
  while (done < 0 && errno == EAGAIN && leads_to_the_disks(fd, count)) {
    struct pollfd room = {.fd = fd, .events = POLLOUT};
    poll(&room, 1, -1);
    done = syscall(SYS_write, fd, from, count);
  }
  return done;
}

static int is_set(const struct itimerspec *spec) { return spec->it_value.tv_sec != 0 || spec->it_value.tv_nsec != 0; }

int timer_settime(timer_t timer, int flags, const struct itimerspec *to, struct itimerspec *before) {
  alarm_is_due = is_set(to);
  looks_since = 0;
  return host_settime(timer, flags, to, before);
}

int timer_gettime(timer_t timer, struct itimerspec *left) {
  int result = host_gettime(timer, left);
  if (result != 0 || is_set(left) || !alarm_is_due || ++looks_since < 2) return result;
  const struct itimerspec at_once = {.it_value = {.tv_nsec = 1000}};
  looks_since = 0;
  dprintf(STDERR_FILENO, "rack: a dropped alarm comes once more\n");
  return host_settime(timer, 0, &at_once, NULL);
}
