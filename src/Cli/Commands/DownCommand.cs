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

            await LocalCluster.Stop(alive);
            RunState.Delete();
            Console.WriteLine($"Stopped {string.Join(", ", alive.Select(process => process.Name))}.");
            return 0;
        });
        return command;
    }
}
