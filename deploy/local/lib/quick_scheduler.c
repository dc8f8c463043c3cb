/*
 * Preloaded into slurmctld by hpc. Slurm looks for new batch jobs once a second: its background loop sleeps ten times
 * for 0.1 s. Here each of those sleeps takes 5 ms, so a job starts 0.07 s after sbatch, not up to a second later.
 * Everything else keeps Slurm's own pace.
 */
#include <time.h>

int usleep(unsigned int microseconds)
{
	if (microseconds == 100000)
		microseconds = 5000;
	struct timespec time = {microseconds / 1000000, microseconds % 1000000 * 1000L};
	return nanosleep(&time, NULL);
}
