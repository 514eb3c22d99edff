using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Herd.Inference.Runtime;
using Herd.LlamaCpp.Native;
using Herd.Testing;

namespace Herd.LlamaCpp.Tests;

[Collection(nameof(Models))]
public sealed class ModelLoadTests(Models models)
{
    [Fact]
    public void Load_RealModel_HasItsMetadata()
    {
        Assert.Equal(8192, models.Real.Info.ContextLength);
        Assert.Contains("im_start", models.Real.Info.ChatTemplate, StringComparison.Ordinal);
        Assert.Equal(49152, models.Real.Vocabulary.Count);
        Assert.Equal("llama.cpp v0.5.0", models.Runtime.Description);
    }

    [Fact]
    public void Load_Progress_ReachesOne()
    {
        var shares = new List<float>();

        models.Runtime.Load(models.TinyPath, new ModelOptions(), new Recorder(shares), CancellationToken.None)
            .Dispose();

        Assert.Equal(1, shares[^1]);
        Assert.Equal(shares.Order(), shares);
    }

    /// <summary>Without a GPU there is nothing to divide; the shares are read all the same.</summary>
    [Fact]
    public void Load_WithSharesOfGpus_Loads()
    {
        using var model = models.Runtime.Load(
            models.TinyPath, new ModelOptions { TensorSplit = [1, 3] }, null, CancellationToken.None);

        Assert.Equal(models.Tiny.Info, model.Info);
    }

    [Fact]
    public void Load_Cancelled_Stops()
    {
        using var cancellation = new CancellationTokenSource();
        cancellation.Cancel();

        Assert.Throws<OperationCanceledException>(
            () => models.Runtime.Load(models.TinyPath, new ModelOptions(), null, cancellation.Token));
    }

    [Fact]
    public void Load_MissingFile_NamesIt()
    {
        var error = Refused("/nowhere/model.gguf");

        Assert.Contains("/nowhere/model.gguf", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(20)]
    [InlineData(1000)]
    [InlineData(6000)]
    [InlineData(-1)]
    [InlineData(-5000)]
    public void Load_FileCutShort_IsRefused(int length)
    {
        var bytes = File.ReadAllBytes(models.TinyPath);
        var path = models.NewPath("cut.gguf");
        File.WriteAllBytes(path, bytes[..(length < 0 ? bytes.Length + length : length)]);

        Assert.Contains(path, Refused(path).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 0x58)]
    [InlineData(4, 0xFF)]
    [InlineData(8, 0xFF)]
    [InlineData(15, 0x7F)]
    [InlineData(23, 0x7F)]
    [InlineData(31, 0x7F)]
    public void Load_HeaderDamaged_IsRefused(int at, byte value)
    {
        var bytes = File.ReadAllBytes(models.TinyPath);
        bytes[at] = value;
        var path = models.NewPath("damaged.gguf");
        File.WriteAllBytes(path, bytes);

        Refused(path);
    }

    /// <summary>
    /// Files that pass our own checks reach llama.cpp: it must load or refuse them, without ending the process.
    /// </summary>
    [Property(MaxTest = 400, Replay = "(20261124,31)")]
    public Property Load_Mutated_IsLoadedOrRefused()
    {
        var tiny = File.ReadAllBytes(models.TinyPath);
        var header = tiny.AsSpan().LastIndexOf("output.weight"u8);
        var path = models.NewPath("mutated.gguf");
        var changes = from at in Gen.Choose(0, header) from value in Gen.Choose(0, 255) select (at, value);
        return Prop.ForAll(changes.ToArbitrary(), change =>
        {
            var bytes = tiny.ToArray();
            bytes[change.at] = (byte)change.value;
            File.WriteAllBytes(path, bytes);
            try
            {
                using var model = models.Runtime.Load(path, new ModelOptions(), null, CancellationToken.None);
                using var context = model.CreateContext(
                    new ContextOptions { Sequences = 1, CellsPerSequence = 256, BatchTokens = 8, Threads = 1 });
                var batch = new TokenBatch(8);
                batch.Add(5, 0, 0, output: true);
                context.Decode(batch);
            }
            catch (ModelLoadException e)
            {
                Assert.Contains(path, e.Message, StringComparison.Ordinal);
            }
        });
    }

    [Fact]
    public void Load_TensorMissing_NamesIt()
    {
        var path = models.NewPath("empty.gguf");
        new GgufWriter().Add("general.architecture", "llama").Write(path);

        Refused(path);
    }

    [Fact]
    public void Require_AnotherBuild_NamesFoundAndExpected()
    {
        var found = NativeLibraries.BuildMark.Expected with { Version = "0.4.9", ContextParamsBytes = 152 };

        var error = Assert.Throws<ModelLoadException>(() => NativeLibraries.Require(found, "/libs"));

        Assert.Contains("Version = 0.4.9", error.Message, StringComparison.Ordinal);
        Assert.Contains("Version = 0.5.0-dev", error.Message, StringComparison.Ordinal);
        Assert.Contains("ContextParamsBytes = 152", error.Message, StringComparison.Ordinal);
        Assert.Contains("ContextParamsBytes = 160", error.Message, StringComparison.Ordinal);
    }

    private ModelLoadException Refused(string path) => Assert.Throws<ModelLoadException>(
        () => models.Runtime.Load(path, new ModelOptions(), null, CancellationToken.None).Dispose());

    private sealed class Recorder(List<float> shares) : IProgress<float>
    {
        public void Report(float value) => shares.Add(value);
    }
}
