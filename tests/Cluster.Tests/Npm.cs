using Herd.Testing;

namespace Herd.Cluster.Tests;

/// <summary>Clients that come from npm.</summary>
internal static class Npm
{
    private static readonly string Folder = Path.Combine(Repository.Root, "tests", "Cluster.Tests", "npm");

    private static readonly Lazy<Task> Installed =
        new(() => Tool.Run(Folder, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"));

    /// <summary>Runs a script of the folder npm.</summary>
    /// <returns>What it printed.</returns>
    public static async Task<string> Run(string script, params string[] arguments)
    {
        await Installed.Value;
        return await Tool.Run(Folder, "node", [script, .. arguments]);
    }
}
