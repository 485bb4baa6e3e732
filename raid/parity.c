/* P and Q of a stripe at the speed of memory, by ISA-L's four functions (its raid.h); raid/parity_library.py checks the
   arguments. ISA-L's own checks use 16 bytes at a time and wait for memory. Here the widest registers of the machine are
   used, and each block is asked for before it is needed (docs/design/bench.md has the figures).
   Q = sum of g^i * D_i over GF(256), g = 2, polynomial 0x11d, by Horner's rule from the highest i down. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t bytes __attribute__((vector_size(64), aligned(16), may_alias));
typedef int8_t signs __attribute__((vector_size(64), aligned(16), may_alias));

enum { WIDE = sizeof(bytes), AHEAD = 1024 };

#if defined(__x86_64__)
#define EACH_MACHINE __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define EACH_MACHINE
#endif
#define INSIDE static inline __attribute__((always_inline))

/* The last bytes of a block are read as if zeros followed. */
INSIDE void get(bytes *into, const void *block, size_t at, size_t count) {
  const uint8_t *from = (const uint8_t *)block + at;
  __builtin_prefetch(from + AHEAD);
  *into = (bytes){0};
  if (count == WIDE) *into = *(const bytes *)from;
  else memcpy(into, from, count);
}

/* Whether the last one (P) or two (P, Q) of `array` do not belong to the blocks before them; `make`: they are written. */
INSIDE int parity(int vects, int len, void **array, int with_q, int make) {
  int data = vects - 1 - with_q;
  bytes wrong = {0}, one;
  for (size_t at = 0, count; at < (size_t)len; at += WIDE) {
    count = (size_t)len - at < WIDE ? (size_t)len - at : WIDE;
    bytes p = {0}, q = {0};
    for (int i = data - 1; i >= 0; i--) {
      get(&one, array[i], at, count);
      p ^= one;
      /* q * 2: where the highest bit falls off, the polynomial's rest comes in. */
      if (with_q) q = (q + q) ^ ((bytes)((signs)q < 0) & 0x1d) ^ one;
    }
    if (make) {
      memcpy((uint8_t *)array[data] + at, &p, count);
      if (with_q) memcpy((uint8_t *)array[data + 1] + at, &q, count);
      continue;
    }
    get(&one, array[data], at, count);
    wrong |= p ^ one;
    if (!with_q) continue;
    get(&one, array[data + 1], at, count);
    wrong |= q ^ one;
  }
  uint64_t words[WIDE / 8], any = 0;
  memcpy(words, &wrong, WIDE);
  for (int i = 0; i < WIDE / 8; i++) any |= words[i];
  return any != 0;
}

EACH_MACHINE int xor_check(int vects, int len, void **array) { return parity(vects, len, array, 0, 0); }
EACH_MACHINE int xor_gen(int vects, int len, void **array) { return parity(vects, len, array, 0, 1); }
EACH_MACHINE int pq_check(int vects, int len, void **array) { return parity(vects, len, array, 1, 0); }
EACH_MACHINE int pq_gen(int vects, int len, void **array) { return parity(vects, len, array, 1, 1); }
