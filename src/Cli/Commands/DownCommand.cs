using System.CommandLine;
using Herd.Cli.Processes;

namespace Herd.Cli.Commands;

/// <summary>herd down: stops the cluster that 'herd up' runs here.</summary>
internal static class DownCommand
{
    public static Command Create()
    {
        var command = new Command(
            "down", "Stops the cluster that 'herd up' started on this machine. Conversations stay in the store.");
        command.SetAction(async (_, _) =>
        {
            using var home = HomeLock.Take();
            var alive = RunState.TryRead()?.Processes.Where(Machine.IsAlive).ToList() ?? [];
            if (alive.Count == 0)
            {
                Console.WriteLine("No cluster runs here.");
                RunState.Delete();
                return 0;
            }

            var killed = await LocalCluster.Stop(alive);
            RunState.Delete();
            Console.WriteLine($"Stopped {string.Join(", ", alive.Select(process => process.Name))}.");
            if (killed.Count > 0)
            {
                Console.Error.WriteLine(
                    $"herd: {string.Join(", ", killed.Select(process => process.Name))} did not end within "
                    + $"{LocalCluster.MaxStopTime.TotalSeconds} s and was killed.");
            }

            return 0;
        });
        return command;
    }
}
