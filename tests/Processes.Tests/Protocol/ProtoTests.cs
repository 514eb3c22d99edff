using Herd.Testing;

namespace Herd.Processes.Tests.Protocol;

public sealed class ProtoTests : IDisposable
{
    private static readonly NpmFolder Npm = new("tests", "Processes.Tests", "Protocol", "npm");

    private readonly DirectoryInfo _protos = Directory.CreateTempSubdirectory("herd-protos-");

    /// <summary>A folder with the protos and their imports.</summary>
    public ProtoTests()
    {
        Copy(Path.Combine(Repository.Root, "src", "Protocol", "Protos"), "");
        Copy(Path.Combine(AppContext.BaseDirectory, "google"), "google");

        void Copy(string from, string to)
        {
            foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
            {
                var target = Path.Combine(_protos.FullName, to, Path.GetRelativePath(from, file));
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Copy(file, target);
            }
        }
    }

    public void Dispose() => _protos.Delete(recursive: true);

    [Fact]
    public Task Lint_Protos_FindsNothing() => Buf("lint");

    /// <summary>
    /// Released messages stay readable. CONTRIBUTING.md says how a release writes released.binpb.
    /// </summary>
    [Fact]
    public Task Breaking_SinceTheLastRelease_FindsNothing() =>
        Buf(
            "breaking",
            "--against",
            Path.Combine(Repository.Root, "tests", "Processes.Tests", "Protocol", "released.binpb"));

    private async Task Buf(params string[] arguments)
    {
        await Npm.Install();
        await Tool.Run(_protos.FullName, Path.Combine(Npm.Folder, "node_modules", ".bin", "buf"), arguments);
    }
}
