// Copies and fills memory in static programs on x86-64: the functions of musl take long to begin, and a reader of logs
// makes many short copies.
//
// The linker finds these first. Overlap is allowed everywhere: whatever is overwritten was loaded before.

#include <emmintrin.h>
#include <stddef.h>
#include <stdint.h>

typedef uint16_t __attribute__((may_alias, aligned(1))) two;
typedef uint32_t __attribute__((may_alias, aligned(1))) four;
typedef uint64_t __attribute__((may_alias, aligned(1))) eight;

static inline __m128i load(const char *from) { return _mm_loadu_si128((const __m128i *)from); }
static inline void store(char *to, __m128i bytes) { _mm_storeu_si128((__m128i *)to, bytes); }

// As many bytes as two units, which may overlap.
#define BOTH_ENDS(unit)                                                \
    do {                                                               \
        unit first = *(const unit *)from;                              \
        unit last = *(const unit *)(from + length - sizeof(unit));     \
        *(unit *)to = first;                                           \
        *(unit *)(to + length - sizeof(unit)) = last;                  \
    } while (0)

static inline void copy_short(char *to, const char *from, size_t length) {
    if (length >= 8) BOTH_ENDS(eight);
    else if (length >= 4) BOTH_ENDS(four);
    else if (length >= 2) BOTH_ENDS(two);
    else if (length) *to = *from;
}

struct block { __m128i a, b, c, d; };

static inline struct block load_block(const char *from) {
    return (struct block){load(from), load(from + 16), load(from + 32), load(from + 48)};
}

static inline void store_block(char *to, struct block block) {
    store(to, block.a);
    store(to + 16, block.b);
    store(to + 32, block.c);
    store(to + 48, block.d);
}

static inline void copy_long(char *to, const char *from, size_t length) {
    struct block first = load_block(from), last = load_block(from + length - 64);
    char *begin = to, *end = to + length - 64;
    if ((size_t)(to - from) >= length) {
        for (to += 64, from += 64; to < end; to += 64, from += 64) store_block(to, load_block(from));
    } else {
        const char *behind = from + length - 64;
        for (to = end; to - begin > 64;) store_block(to -= 64, load_block(behind -= 64));
    }
    store_block(begin, first);
    store_block(end, last);
}

static inline void *copy(void *target, const void *source, size_t length) {
    char *to = target;
    const char *from = source;
    if (length <= 16) {
        copy_short(to, from, length);
    } else if (length <= 32) {
        __m128i first = load(from), last = load(from + length - 16);
        store(to, first);
        store(to + length - 16, last);
    } else if (length <= 64) {
        __m128i a = load(from), b = load(from + 16), y = load(from + length - 32), z = load(from + length - 16);
        store(to, a);
        store(to + 16, b);
        store(to + length - 32, y);
        store(to + length - 16, z);
    } else {
        copy_long(to, from, length);
    }
    return target;
}

void *memcpy(void *restrict target, const void *restrict source, size_t length) { return copy(target, source, length); }
void *memmove(void *target, const void *source, size_t length) { return copy(target, source, length); }

void *memset(void *target, int byte, size_t length) {
    char *to = target, *end = to + length;
    __m128i bytes = _mm_set1_epi8((char)byte);
    if (length < 16) {
        eight word = (uint8_t)byte * UINT64_C(0x0101010101010101);
        if (length >= 8) *(eight *)to = *(eight *)(end - 8) = word;
        else if (length >= 4) *(four *)to = *(four *)(end - 4) = (uint32_t)word;
        else if (length >= 2) *(two *)to = *(two *)(end - 2) = (uint16_t)word;
        else if (length) *to = (char)byte;
        return target;
    }
    for (; end - to > 16; to += 16) store(to, bytes);
    store(end - 16, bytes);
    return target;
}
