using Herd.Testing;

namespace Herd.Kubernetes.Tests.Pods;

/// <summary>The programs of the commit before this one, built in a folder of their own; HERD_PREVIOUS names another.</summary>
internal sealed class PreviousVersion : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("herd-previous-");

    public string Revision { get; } = Environment.GetEnvironmentVariable("HERD_PREVIOUS") ?? "HEAD~1";

    public static async Task<PreviousVersion> Build()
    {
        var previous = new PreviousVersion();
        var archive = previous._folder.FullName + ".tar";
        await Tool.Run(Repository.Root, "git", "archive", "--output", archive, previous.Revision);
        await Tool.Run(previous._folder.FullName, "tar", "-xf", archive);
        File.Delete(archive);
        foreach (var project in new[] { "Store", "Silo", "Gateway" })
        {
            await Tool.Run(previous._folder.FullName, "dotnet", "build", Path.Combine("src", project), "--nologo", "--verbosity", "quiet");
        }

        return previous;
    }

    public string Program(string project) => Path.Combine(_folder.FullName, "artifacts", "bin", project, "debug", $"Herd.{project}");

    public void Dispose() => _folder.Delete(recursive: true);
}
