using Herd.Testing;

namespace Herd.Cluster.Tests;

/// <summary>Clients from npm.</summary>
internal static class Npm
{
    private static readonly NpmFolder Clients = new("tests", "Cluster.Tests", "npm");

    /// <summary>Runs a script of the folder npm.</summary>
    /// <returns>Its standard output.</returns>
    public static async Task<string> Run(string script, params string[] arguments)
    {
        await Clients.Install();
        return await Tool.Run(Clients.Folder, "node", [script, .. arguments]);
    }
}
