using Herd.Inference.Models.Probing;

namespace Herd.Inference.Tests.Models.Probing;

/// <summary>What a node remembers of the files that native code can open.</summary>
public sealed class PassedModelsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("herd-passed-");

    private string Remembered => Path.Combine(_folder.FullName, "kv", "passed-models");

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>The text that version 1 writes stays readable.</summary>
    [Fact]
    public void Contains_TextOfVersion1_ReadsIt()
    {
        Write("passed models 1\n0a0b llama.cpp v0.5.0\n");

        Assert.True(new PassedModels(Remembered).Contains([10, 11], "llama.cpp v0.5.0"));
        Assert.False(new PassedModels(Remembered).Contains([10, 11], "llama.cpp v0.6.0"));
        Assert.False(new PassedModels(Remembered).Contains([10], "llama.cpp v0.5.0"));
    }

    [Theory]
    [InlineData("passed models 2\n0a0b native\n")]
    [InlineData("")]
    [InlineData("\0\u00ff")]
    public void Add_FileOfAnotherVersionOrDamaged_IsWrittenAnew(string before)
    {
        Write(before);
        var passed = new PassedModels(Remembered);

        Assert.False(passed.Contains([10, 11], "native"));
        passed.Add([12], "native");

        Assert.Equal("passed models 1\n0c native\n", File.ReadAllText(Remembered));
    }

    [Fact]
    public void Add_MoreThanAreRemembered_ForgetsTheOldest()
    {
        var passed = new PassedModels(Remembered);
        for (var i = 0; i <= 1000; i++)
        {
            passed.Add(BitConverter.GetBytes(i), "native");
        }

        Assert.Equal(1001, File.ReadAllLines(Remembered).Length);
        Assert.False(passed.Contains(BitConverter.GetBytes(0), "native"));
        Assert.True(passed.Contains(BitConverter.GetBytes(1000), "native"));
    }

    /// <summary>A folder that cannot be written keeps no model from being served.</summary>
    [Fact]
    public void Add_NoFolder_RemembersInTheProcess()
    {
        File.WriteAllText(Path.Combine(_folder.FullName, "kv"), "a file");
        var passed = new PassedModels(Remembered);

        passed.Add([1], "native");

        Assert.True(passed.Contains([1], "native"));
    }

    private void Write(string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Remembered)!);
        File.WriteAllText(Remembered, text);
    }
}
