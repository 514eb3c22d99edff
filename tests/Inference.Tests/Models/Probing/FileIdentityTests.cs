using Herd.Inference.Models.Probing;
using Herd.Inference.Runtime;

namespace Herd.Inference.Tests.Models.Probing;

/// <summary>A file that changes between its check and its load is not loaded.</summary>
public sealed class FileIdentityTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void RequireSame_NothingChanged_Passes() => FileIdentity.Read(_path).RequireSame(_path);

    [Fact]
    public void RequireSame_OtherLengthTimeOrFile_SaysThatItChanged()
    {
        var written = File.GetLastWriteTimeUtc(_path);
        foreach (var change in new Action[]
        {
            () => File.AppendAllText(_path, "x"),
            () => File.SetLastWriteTimeUtc(_path, written.AddSeconds(-1)),
        })
        {
            var identity = FileIdentity.Read(_path);
            change();

            Assert.Contains(
                "changed while it was checked",
                Assert.Throws<ModelLoadException>(() => identity.RequireSame(_path)).Message,
                StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Read_NoFile_NamesIt() => Assert.Contains(
        "/nowhere/x.gguf",
        Assert.Throws<ModelLoadException>(() => FileIdentity.Read("/nowhere/x.gguf")).Message,
        StringComparison.Ordinal);
}
