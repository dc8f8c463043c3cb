/*
 * Preloaded into slurmctld by hpc, to make two waits shorter; everything else keeps Slurm's own pace.
 *
 * Slurm looks for new batch jobs once a second: its background loop sleeps ten times for 0.1 s. Here each of those sleeps
 * takes 5 ms, so a job starts 0.07 s after sbatch, not up to a second later.
 *
 * Slurm tells accounting every five seconds which jobs have started; until then accounting does not have the name of a job, and
 * the end of a short job waits for it. Here the thread that does this waits for 0.1 s.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

int usleep(unsigned int microseconds)
{
	if (microseconds == 100000)
		microseconds = 5000;
	struct timespec time = {microseconds / 1000000, microseconds % 1000000 * 1000L};
	return nanosleep(&time, NULL);
}

int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until)
{
	static int (*slurms)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
	char thread[16] = "";
	struct timespec soon;

	if (!slurms) { /* threads that find this at once all find the same */
		/* on x86-64 there is an older one, too, of another meaning */
		void *found = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
		slurms = found ? found : dlsym(RTLD_NEXT, "pthread_cond_timedwait");
	}
	prctl(PR_GET_NAME, thread);
	if (strcmp(thread, "dbinx") == 0) {
		clock_gettime(CLOCK_REALTIME, &soon);
		soon.tv_nsec += 100000000;
		soon.tv_sec += soon.tv_nsec / 1000000000;
		soon.tv_nsec %= 1000000000;
		until = &soon;
	}
	return slurms(condition, mutex, until);
}
