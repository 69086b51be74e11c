/*
 * Notes how much of a file the disk has: after each fdatasync, the file's inode, its size when the call began, and when
 * that was (µs of the monotonic clock). Loaded into Redis before its own libraries, so that a power loss cuts its
 * append-only file only behind its last fsync.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int mark = -1;
static unsigned long long inode, size;

static void note(const struct stat *file, const struct timespec *at) {
	char line[96];
	int length;
	unsigned long long us = (unsigned long long)at->tv_sec * 1000000ULL + at->tv_nsec / 1000;
	pthread_mutex_lock(&lock);
	if (mark < 0) mark = open("fsync.mark", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	/* One that began earlier may end later: it is no news. */
	if (mark >= 0 && !(inode == file->st_ino && size > (unsigned long long)file->st_size)) {
		inode = file->st_ino;
		size = file->st_size;
		length = snprintf(line, sizeof line, "%20llu %20llu %20llu\n", inode, size, us);
		if (pwrite(mark, line, length, 0) != length) mark = -1;
	}
	pthread_mutex_unlock(&lock);
}

int fdatasync(int file) {
	static int (*real)(int);
	struct stat before;
	struct timespec at;
	int isKnown, result;
	if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
	isKnown = fstat(file, &before) == 0 && clock_gettime(CLOCK_MONOTONIC, &at) == 0;
	result = real(file);
	if (result == 0 && isKnown) note(&before, &at);
	return result;
}
