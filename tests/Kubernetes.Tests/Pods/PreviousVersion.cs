using Herd.Testing;

namespace Herd.Kubernetes.Tests.Pods;

/// <summary>The programs of the previous commit, or of the commit that HERD_PREVIOUS names.</summary>
internal sealed class PreviousVersion
{
    private readonly string _folder;

    private PreviousVersion(string folder) => _folder = folder;

    /// <summary>Builds them unless they are built. <c>./test</c> does so beforehand, beside other tests.</summary>
    public static async Task<PreviousVersion> Build()
    {
        var output = await Tool.Run(
            Repository.Root, Path.Combine(Repository.Root, "tests", "Kubernetes.Tests", "build-previous"));
        return new PreviousVersion(output.TrimEnd().Split('\n')[^1]);
    }

    public string Program(string project) =>
        Path.Combine(_folder, "artifacts", "bin", project, "debug", $"Herd.{project}");
}
