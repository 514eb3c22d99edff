using System.Buffers.Binary;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Herd.Inference.Models.Gguf;
using Herd.Inference.Runtime;
using Herd.Testing;

namespace Herd.Inference.Tests.Models.Gguf;

public sealed class GgufFileTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();
    private readonly Lazy<byte[]> _tiny;

    public GgufFileTests() => _tiny = new(() => File.ReadAllBytes(TinyModel.Write(_path)));

    [Fact]
    public void Read_TinyModel_HasItsMetadata()
    {
        var file = Read(_tiny.Value);

        Assert.Equal("llama", file.Architecture);
        Assert.Equal(TinyModel.ContextLength, file.Number("llama.context_length"));
        Assert.Equal(TinyModel.ChatTemplate, file.Metadata["tokenizer.chat_template"]);
        Assert.Equal([64, 64], file.Tensors.Single(tensor => tensor.Name == "blk.1.attn_q.weight").Shape);
        Assert.Equal(_tiny.Value.Length, file.WeightBytes + DataStart(_tiny.Value));
    }

    [Fact]
    public void Read_RealModel_IsSound()
    {
        var file = GgufFile.Read(Repository.RealModel);

        Assert.Equal(30, file.Number("llama.block_count"));
        Assert.Equal(49152, Assert.IsType<GgufArray>(file.Metadata["tokenizer.ggml.tokens"]).Count);
    }

    [Fact]
    public void Read_NoFile_NamesIt() =>
        Assert.Contains(
            "/nowhere/x.gguf",
            Assert.Throws<ModelLoadException>(() => GgufFile.Read("/nowhere/x.gguf")).Message,
            StringComparison.Ordinal);

    /// <summary>
    /// A file with any change or cut is read, or refused with the position of the error. No memory is allocated for
    /// data that the file does not have.
    /// </summary>
    [Property(MaxTest = 2000)]
    public Property Read_Mutated_IsReadOrRefused() => Prop.ForAll(
        Mutation(HeaderBytes).ToArbitrary(),
        mutation =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                Read(mutation.ApplyTo(_tiny.Value));
            }
            catch (ModelLoadException e)
            {
                Assert.Contains("at byte", e.Message, StringComparison.Ordinal);
            }

            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 << 20);
        });

    [Property(MaxTest = 300)]
    public Property Read_CutShort_IsRefused() => Prop.ForAll(
        Gen.Choose(0, 300_000).ToArbitrary(),
        length =>
            Assert.Throws<ModelLoadException>(() => Read(_tiny.Value[..Math.Min(length, _tiny.Value.Length - 1)])));

    [Theory]
    [InlineData(8, "tensors cannot be in a file")]
    [InlineData(16, "metadata cannot be in a file")]
    [InlineData(24, "a key has")]
    public void Read_CountBeyondTheFile_IsRefused(int at, string expected)
    {
        var bytes = _tiny.Value.ToArray();
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at), long.MaxValue);

        Assert.Contains(expected, Refused(bytes), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_TensorBeyondTheFile_NamesIt() =>
        Assert.Contains("'output.weight' takes", Refused(_tiny.Value[..^4]), StringComparison.Ordinal);

    [Fact]
    public void Read_TensorOverAnother_NamesIt()
    {
        var bytes = _tiny.Value.ToArray();
        var name = bytes.AsSpan().IndexOf("blk.0.attn_norm.weight"u8);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(name + "blk.0.attn_norm.weight".Length + 4 + 8 + 4), 0);

        Assert.Contains("'blk.0.attn_norm.weight' is said to begin at 0", Refused(bytes), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("general.alignment", 0u, "alignment of 0")]
    [InlineData("general.alignment", 48u, "alignment of 48")]
    [InlineData("split.count", 3u, "one of 3 parts")]
    [InlineData("tokenizer.ggml.padding_token_id", 5u, "but there are 2 tokens")]
    [InlineData("tokenizer.ggml.token_type", 5u, "not an array")]
    [InlineData("general.architecture", 5u, "missing or no text")]
    public void Read_ImpossibleMetadata_NamesTheKey(string key, uint value, string expected)
    {
        var writer = new GgufWriter().Add("tokenizer.ggml.tokens", new[] { "a", "b" }).Add(key, value);
        if (key != "general.architecture")
        {
            writer.Add("general.architecture", "llama");
        }

        writer.Write(_path);

        Assert.Contains(expected, Refused(File.ReadAllBytes(_path)), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_ScoresForOtherTokens_NamesBothCounts()
    {
        new GgufWriter()
            .Add("general.architecture", "llama")
            .Add("tokenizer.ggml.tokens", new[] { "a", "b" })
            .Add("tokenizer.ggml.scores", (object)new[] { 1f })
            .Write(_path);

        Assert.Contains("has 1 elements for 2 tokens", Refused(File.ReadAllBytes(_path)), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_KeyTwice_NamesIt()
    {
        new GgufWriter().Add("general.architecture", "llama").Add("general.architecture", "llama").Write(_path);

        Assert.Contains(
            "'general.architecture' comes twice", Refused(File.ReadAllBytes(_path)), StringComparison.Ordinal);
    }

    public void Dispose() => File.Delete(_path);

    private int HeaderBytes => DataStart(_tiny.Value);

    /// <summary>Changes that a parser is likely to stumble over: bytes, whole counts, cuts and insertions.</summary>
    private static Gen<Change> Mutation(int length) =>
        from at in Gen.Choose(0, length - 8)
        from kind in Gen.Choose(0, 4)
        from value in Gen.OneOf(
            Gen.Elements(0L, 1L, -1L, long.MaxValue, long.MinValue, uint.MaxValue, int.MaxValue, 1L << 40),
            Gen.Choose(0, 255).Select(x => (long)x))
        select new Change(kind, at, value);

    private static int DataStart(byte[] bytes) => bytes.AsSpan().LastIndexOf("output.weight"u8) is var name
        ? (name + "output.weight".Length + 4 + 16 + 4 + 8 + 31) / 32 * 32
        : 0;

    private static GgufFile Read(byte[] bytes)
    {
        using var stream = new MemoryStream(bytes);
        return GgufFile.Read(stream, "test.gguf");
    }

    private static string Refused(byte[] bytes) => Assert.Throws<ModelLoadException>(() => Read(bytes)).Message;

    public sealed record Change(int Kind, int At, long Value)
    {
        public byte[] ApplyTo(byte[] bytes)
        {
            var changed = bytes.ToArray();
            switch (Kind)
            {
                case 0: changed[At] = (byte)Value; break;
                case 1: BinaryPrimitives.WriteInt32LittleEndian(changed.AsSpan(At), (int)Value); break;
                case 2: BinaryPrimitives.WriteInt64LittleEndian(changed.AsSpan(At), Value); break;
                case 3: return [.. changed[..At], .. Encoding.ASCII.GetBytes("GGUF"), .. changed[At..]];
                default: return [.. changed[..At], .. changed[(At + 8)..]];
            }

            return changed;
        }
    }
}
