/* Records what a process does to the files under SHIM_FOLDER, so that a cut of power can be played at any moment.
 *
 * Loaded in front of the C library. Each call is done and noted under one lock, so the record has the order in which the
 * file system saw things. Syncs are noted and not done: the record says what they promise. A file is known by inode and
 * time of birth. Renaming by bare system calls is not seen; what a folder holds is noted whenever the folder is synced.
 *
 * Entry: kind, id u64, offset u64, length u32, payload. Little-endian, as the machine is.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static int record_fd = -1;
static const char *folder, *notes;

__attribute__((constructor)) static void begin(void) {
    folder = getenv("SHIM_FOLDER");
    notes = getenv("SHIM_NOTES");
    const char *record = getenv("SHIM_RECORD");
    if (folder && record)
        record_fd = syscall(SYS_openat, AT_FDCWD, record, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

static void put(const void *bytes, size_t length) {
    const char *at = bytes;
    while (length > 0) {
        ssize_t done = syscall(SYS_write, record_fd, at, length);
        if (done <= 0) abort();
        at += done;
        length -= done;
    }
}

static void note(char kind, uint64_t id, uint64_t offset, const void *payload, uint32_t length) {
    char head[21];
    head[0] = kind;
    memcpy(head + 1, &id, 8);
    memcpy(head + 9, &offset, 8);
    memcpy(head + 17, &length, 4);
    put(head, sizeof head);
    put(payload, length);
}

static uint64_t id_of(int fd, const char *path, mode_t *mode) {
    struct statx stat;
    int flags = path[0] ? AT_SYMLINK_NOFOLLOW : AT_EMPTY_PATH;
    if (statx(fd, path, flags, STATX_INO | STATX_BTIME | STATX_MODE, &stat) != 0) return 0;
    *mode = stat.stx_mode;
    uint64_t birth = stat.stx_btime.tv_sec * 1000000000ull + stat.stx_btime.tv_nsec;
    return stat.stx_ino * 0x9E3779B97F4A7C15ull ^ birth;
}

/* The path of a descriptor, if it lies in the folder (or is the file of notes). */
static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return 1;
}

static int in_folder(const char *path) {
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == 0);
}

/* 0: not ours, 1: in the folder, 2: the file of notes. */
static int kind_of(int fd) {
    char path[PATH_MAX];
    if (record_fd < 0 || fd == record_fd || !path_of(fd, path)) return 0;
    char *deleted = strstr(path, " (deleted)");
    if (deleted) *deleted = 0;
    if (notes && strcmp(path, notes) == 0) return 2;
    return in_folder(path);
}

static int opened(int fd, int flags) {
    char path[PATH_MAX];
    mode_t mode = 0;
    if (fd >= 0 && record_fd >= 0 && path_of(fd, path) && in_folder(path)) {
        uint64_t id = id_of(fd, "", &mode);
        if (flags & O_CREAT) note('O', id, 0, path, strlen(path));
        if (flags & O_TRUNC) note('T', id, 0, "", 0);
    }
    return fd;
}

static int open_at(int at, const char *path, int flags, mode_t mode) {
    pthread_mutex_lock(&lock);
    int fd = opened(syscall(SYS_openat, at, path, flags, mode), flags);
    pthread_mutex_unlock(&lock);
    return fd;
}

#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { va_list list; va_start(list, flags); mode = va_arg(list, mode_t); va_end(list); }

int open(const char *path, int flags, ...) { MODE(flags) return open_at(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return open_at(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE(flags) return open_at(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE(flags) return open_at(at, path, flags, mode); }

static void wrote(int fd, int kind, uint64_t offset, const void *bytes, ssize_t length) {
    mode_t mode = 0;
    if (length <= 0) return;
    if (kind == 2) note('A', 0, 0, bytes, length);
    else note('W', id_of(fd, "", &mode), offset, bytes, length);
}

static uint64_t place(int fd) {
    if (fcntl(fd, F_GETFL) & O_APPEND) {
        struct stat stat;
        fstat(fd, &stat);
        return stat.st_size;
    }
    return lseek(fd, 0, SEEK_CUR);
}

ssize_t write(int fd, const void *bytes, size_t length) {
    pthread_mutex_lock(&lock);
    int kind = kind_of(fd);
    uint64_t offset = kind == 1 ? place(fd) : 0;
    ssize_t done = syscall(SYS_write, fd, bytes, length);
    if (kind) wrote(fd, kind, offset, bytes, done);
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    pthread_mutex_lock(&lock);
    int kind = kind_of(fd);
    uint64_t offset = kind == 1 ? place(fd) : 0;
    ssize_t done = syscall(SYS_writev, fd, parts, count), left = done;
    for (int part = 0; kind && part < count && left > 0; part++) {
        ssize_t length = parts[part].iov_len < (size_t)left ? (ssize_t)parts[part].iov_len : left;
        wrote(fd, kind, offset, parts[part].iov_base, length);
        offset += length;
        left -= length;
    }
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
    pthread_mutex_lock(&lock);
    int kind = kind_of(fd);
    ssize_t done = syscall(SYS_pwrite64, fd, bytes, length, offset);
    if (kind) wrote(fd, kind, offset, bytes, done);
    pthread_mutex_unlock(&lock);
    return done;
}
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return pwrite64(fd, bytes, length, offset); }

int ftruncate64(int fd, off64_t length) {
    pthread_mutex_lock(&lock);
    mode_t mode = 0;
    int done = syscall(SYS_ftruncate, fd, length);
    if (done == 0 && kind_of(fd) == 1) note('T', id_of(fd, "", &mode), length, "", 0);
    pthread_mutex_unlock(&lock);
    return done;
}
int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

/* What a folder holds: for each name its length, the name, its id and whether it is a folder. */
static void note_listing(const char *path) {
    static char listing[1 << 20];
    size_t length = snprintf(listing, PATH_MAX, "%s", path) + 1;
    DIR *dir = opendir(path);
    struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        mode_t mode = 0;
        uint64_t id = id_of(dirfd(dir), entry->d_name, &mode);
        if (id == 0) continue;
        length += snprintf(listing + length, 300, "%s", entry->d_name) + 1;
        memcpy(listing + length, &id, 8);
        listing[length + 8] = S_ISDIR(mode);
        length += 9;
        if (length > sizeof listing - 4096) abort();
    }
    if (dir) closedir(dir);
    note('D', 0, 0, listing, length);
}

static int sync_file(int fd) {
    pthread_mutex_lock(&lock);
    char path[PATH_MAX];
    mode_t mode = 0;
    if (kind_of(fd) == 1) {
        uint64_t id = id_of(fd, "", &mode);
        if (!S_ISDIR(mode)) note('S', id, 0, "", 0);
        else if (path_of(fd, path)) note_listing(path);
    }
    pthread_mutex_unlock(&lock);
    return 0;
}
int fsync(int fd) { return sync_file(fd); }
int fdatasync(int fd) { return sync_file(fd); }

/* Names. Paths are absolute, or relative to a descriptor. */
static int full(int at, const char *path, char *into) {
    char base[PATH_MAX];
    if (path[0] == '/') { snprintf(into, PATH_MAX, "%s", path); return in_folder(into); }
    if (at == AT_FDCWD || !path_of(at, base)) return 0;
    if (strlen(base) + strlen(path) + 2 > PATH_MAX) abort();
    strcpy(into, base);
    strcat(into, "/");
    strcat(into, path);
    return in_folder(into);
}

static int named(char kind, int done, int at, const char *path) {
    char whole[PATH_MAX];
    mode_t mode = 0;
    if (done == 0 && record_fd >= 0 && full(at, path, whole))
        note(kind, kind == 'M' ? id_of(AT_FDCWD, whole, &mode) : 0, 0, whole, strlen(whole));
    pthread_mutex_unlock(&lock);
    return done;
}

int unlinkat(int at, const char *path, int flags) {
    pthread_mutex_lock(&lock);
    return named('U', syscall(SYS_unlinkat, at, path, flags), at, path);
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }
int mkdir(const char *path, mode_t mode) {
    pthread_mutex_lock(&lock);
    return named('M', syscall(SYS_mkdirat, AT_FDCWD, path, mode), AT_FDCWD, path);
}

static int pair(char kind, int done, int from_at, const char *from, int to_at, const char *to) {
    char one[PATH_MAX], other[PATH_MAX], both[2 * PATH_MAX];
    if (done == 0 && record_fd >= 0 && full(from_at, from, one) && full(to_at, to, other)) {
        size_t length = strlen(one) + 1;
        memcpy(both, one, length);
        memcpy(both + length, other, strlen(other));
        note(kind, 0, 0, both, length + strlen(other));
    }
    pthread_mutex_unlock(&lock);
    return done;
}

int rename(const char *from, const char *to) {
    pthread_mutex_lock(&lock);
    return pair('R', syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0), AT_FDCWD, from, AT_FDCWD, to);
}
int linkat(int from_at, const char *from, int to_at, const char *to, int flags) {
    pthread_mutex_lock(&lock);
    return pair('L', syscall(SYS_linkat, from_at, from, to_at, to, flags), from_at, from, to_at, to);
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }
