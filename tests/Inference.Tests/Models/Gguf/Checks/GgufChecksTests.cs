using System.Runtime.InteropServices;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Herd.Inference.Models.Gguf;
using Herd.Inference.Models.Gguf.Checks;
using Herd.Inference.Runtime;
using Herd.Testing;

namespace Herd.Inference.Tests.Models.Gguf.Checks;

/// <summary>
/// Defects at which llama.cpp ends the process, each in a model that is sound otherwise. bench/fuzz-models finds more.
/// </summary>
public sealed class GgufChecksTests : IDisposable
{
    private static readonly uint[] NoExpertsUsed = [1, 2, 7, 512, 1024];

    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Theory]
    [InlineData("llama.block_count", 0u, "'llama.block_count' is 0")]
    [InlineData("llama.block_count", 513u, "'llama.block_count' is 513")]
    [InlineData("llama.context_length", 0u, "'llama.context_length' is 0")]
    [InlineData("llama.embedding_length", 0u, "'llama.embedding_length' is 0")]
    [InlineData("llama.embedding_length", uint.MaxValue, "'llama.embedding_length' is 4294967295")]
    [InlineData("llama.attention.key_length", 0u, "'llama.attention.key_length' is 0")]
    [InlineData("llama.embedding_length_out", 65u, "an output of 65")]
    [InlineData("llama.attention.head_count", 0u, "no attention heads")]
    [InlineData("llama.attention.head_count", 5u, "cannot be shared by 5 heads")]
    [InlineData("llama.attention.head_count", 128u, "more attention heads than")]
    [InlineData("llama.attention.head_count_kv", 0u, "no KV heads")]
    [InlineData("llama.attention.head_count_kv", 3u, "cannot share the KV heads")]
    [InlineData("llama.attention.value_length", 8u, "keys of 16 and values of 8")]
    [InlineData("llama.rope.dimension_count", 32u, "32 rotated dimensions")]
    [InlineData("llama.rope.dimension_count", 7u, "7 rotated dimensions")]
    [InlineData("llama.rope.dimension_count", 8u, "8 rotated dimensions are not the 16")]
    [InlineData("llama.rope.scaling.type", "odd", "rope scaling of another type")]
    [InlineData("llama.rope.scaling.type", "", "rope scaling of another type")]
    [InlineData("llama.nextn_predict_layers", 2u, "2 of 2 blocks predict")]
    [InlineData("llama.nextn_predict_layers", 512u, "512 of 2 blocks predict")]
    [InlineData("llama.expert_count", 65536u, "'llama.expert_count' is 65536")]
    [InlineData("llama.expert_used_count", 2u, "2 experts of 0")]
    [InlineData("llama.expert_group_count", 2u, "2 groups have no experts")]
    [InlineData("llama.expert_gating_func", 0u, "'llama.expert_gating_func' is 0")]
    [InlineData("llama.expert_gating_func", 9u, "'llama.expert_gating_func' is 9")]
    [InlineData("llama.attention.temperature_length", 0u, "'llama.attention.temperature_length' is 0")]
    [InlineData("llama.pooling_type", 77u, "'llama.pooling_type' is 77")]
    [InlineData("llama.rope.freq_base", float.NaN, "no finite number")]
    [InlineData("llama.logit_scale", float.PositiveInfinity, "no finite number")]
    [InlineData("llama.attention.layer_norm_rms_epsilon", -1f, "epsilon' is -1")]
    [InlineData("general.architecture", "odd", "is none that llama.cpp")]
    [InlineData("general.architecture", "clip", "is none that llama.cpp")]
    [InlineData("tokenizer.ggml.model", "none", "'tokenizer.ggml.model' is none of")]
    [InlineData("tokenizer.ggml.model", "no_vocab", "'tokenizer.ggml.model' is none of")]
    [InlineData("tokenizer.ggml.model", "llama", "no token is the byte 0x00")]
    [InlineData("tokenizer.ggml.model", "plamo2", "no token is the byte 0x00")]
    [InlineData("tokenizer.ggml.model", "rwkv", "no token is a new line")]
    [InlineData("tokenizer.ggml.pre", "whitespace", "'tokenizer.ggml.pre' is whitespace")]
    public void Read_OneDefect_NamesIt(string key, object value, string expected) =>
        Assert.Contains(expected, Refusal(model => model.Set(key, value)), StringComparison.Ordinal);

    [Fact]
    public void Read_ExpertsOfWhichNoneIsUsed_IsRefused() => Assert.All(NoExpertsUsed, count => Assert.Contains(
        $"none of {count} experts is used",
        Refusal(model => model.Set("llama.expert_count", count)),
        StringComparison.Ordinal));

    /// <summary>llama.cpp names an empty token by its number, and cuts tokens at a zero byte.</summary>
    [Theory]
    [InlineData("", "[EMPTY_0]")]
    [InlineData("[EMPTY_1]", "")]
    [InlineData("\0rest", "[EMPTY_0]")]
    [InlineData("twin", "twin")]
    [InlineData("twin\0a", "twin\0b")]
    public void Read_TokensThatBecomeEqual_IsRefused(string first, string second)
    {
        string[] tokens = [first, second, "other"];

        Assert.Contains(
            "is the same as another",
            Refusal(model => model
                .Set("tokenizer.ggml.tokens", tokens)
                .Set("tokenizer.ggml.token_type", new[] { 1, 1, 1 })),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void Read_OddScore_IsRefused(float score)
    {
        string[] tokens = [.. Enumerable.Range(0, 256).Select(b => $"<0x{b:X2}>")];
        float[] scores = [.. tokens.Select((_, i) => i == 200 ? score : -i)];

        Assert.Contains(
            "'tokenizer.ggml.scores' has one that is not finite",
            Refusal(model => model.Set("tokenizer.ggml.model", "llama").Set("tokenizer.ggml.tokens", tokens)
                .Set("tokenizer.ggml.token_type", tokens.Select(_ => 6).ToArray())
                .Set("tokenizer.ggml.scores", scores)),
            StringComparison.Ordinal);
    }

    /// <summary>A table of 256 entries, of which the first is its root, and one replacement.</summary>
    [Theory]
    [InlineData(0, 0u, false)]
    [InlineData(0, 1u << 10, false)]
    [InlineData(0, 256u << 10, true)]
    [InlineData(0, uint.MaxValue, true)]
    [InlineData('a', 'a' | 1u << 8, true)]
    [InlineData('a', 'a' | 1u << 8 | 'a' << 10, false)]
    [InlineData('a', 'a' | 255u << 10, false)]
    [InlineData('a', 'a' | 256u << 10, true)]
    [InlineData('a', 'b' | 256u << 10, false)]
    [InlineData('a', 'a' | 1u << 8 | 300u << 10, true)]
    public void Read_CharsmapWithALink_IsRefusedIfItLeadsOut(int entry, uint value, bool isRefused)
    {
        var table = new uint[256];
        table[entry] = value;
        byte[] map = [.. BitConverter.GetBytes(1024), .. MemoryMarshal.AsBytes(table.AsSpan()), (byte)'x', 0];

        Assert.Equal(isRefused, Read(model => model.Set("tokenizer.ggml.precompiled_charsmap", map)) is null);
    }

    /// <summary>A table that is longer than the bytes, and replacements without an end.</summary>
    [Theory]
    [InlineData(2000, 0)]
    [InlineData(-4, 0)]
    [InlineData(1024, 1)]
    public void Read_CharsmapThatIsCut_IsRefused(int tableBytes, byte last)
    {
        byte[] map = [.. BitConverter.GetBytes(tableBytes), .. new byte[1024], (byte)'x', last];

        Assert.Null(Read(model => model.Set("tokenizer.ggml.precompiled_charsmap", map)));
    }

    /// <summary>No map ends or hangs the check.</summary>
    [Property(MaxTest = 300)]
    public Property Read_CharsmapOfRandomBytes_Returns() => Prop.ForAll(
        Gen.Choose(0, 3000).SelectMany(length => Gen.Choose(0, 255).ListOf(length)).ToArbitrary(),
        bytes =>
        {
            _ = Read(model =>
                model.Set("tokenizer.ggml.precompiled_charsmap", bytes.Select(b => (byte)b).ToArray()));
        });

    /// <summary>Whatever heads, groups and experts a file has, what passes divides without remainder.</summary>
    [Property(MaxTest = 1000)]
    public Property Read_RandomGeometry_IsRefusedOrDivides() => Prop.ForAll(
        (from embedding in Gen.Choose(0, 130)
            from heads in Gen.Choose(0, 9)
            from kvHeads in Gen.Choose(0, 9)
            from experts in Gen.Choose(0, 9)
            from used in Gen.Choose(0, 9)
            from groups in Gen.Choose(0, 4)
            select (embedding, heads, kvHeads, experts, used, groups)).ToArbitrary(),
        shape =>
        {
            var file = Read(model => model
                .Set("llama.embedding_length", (uint)shape.embedding)
                .Set("llama.attention.head_count", (uint)shape.heads)
                .Set("llama.attention.head_count_kv", (uint)shape.kvHeads)
                .Set("llama.rope.dimension_count", (uint)(shape.heads > 0 ? shape.embedding / shape.heads : 0))
                .Set("llama.expert_count", (uint)shape.experts)
                .Set("llama.expert_used_count", (uint)shape.used)
                .Set("llama.expert_group_count", (uint)shape.groups)
                .Set("llama.expert_group_used_count", 1u));
            if (file is not null)
            {
                Assert.True(shape.heads > 0 && shape.embedding % shape.heads == 0);
                Assert.True(shape.kvHeads > 0 && shape.heads % shape.kvHeads == 0);
                Assert.Equal(shape.experts > 0, shape.used > 0);
                Assert.True(shape.used <= shape.experts);
                Assert.True(shape.groups <= 1 || shape.experts % shape.groups == 0);
            }
        });

    /// <summary>A tensor that is added or multiplied element by element has to be f32.</summary>
    [Fact]
    public void Read_NormOfAnotherType_IsRefused()
    {
        TinyModel.Write(_path, change: model => model.Add("blk.0.attn_norm.bias", new float[64], 64));
        var bytes = File.ReadAllBytes(_path);
        var name = "blk.0.attn_norm.bias"u8;
        bytes[bytes.AsSpan().IndexOf(name) + name.Length + 4 + 8] = 26;

        using var stream = new MemoryStream(bytes);

        Assert.Contains(
            "such a tensor is of 32-bit fractions",
            Assert.Throws<ModelLoadException>(() => GgufFile.Read(stream, "test.gguf")).Message,
            StringComparison.Ordinal);
    }

    /// <summary>A text that begins a token and fits none is read for ever.</summary>
    [Theory]
    [InlineData(new[] { "a", "ab", "\\n" }, false)]
    [InlineData(new[] { "a", "\\x61b", "\n" }, false)]
    [InlineData(new[] { "ab", "\\n" }, true)]
    [InlineData(new[] { "a", "\\x62b", "\\n" }, true)]
    [InlineData(new[] { "a", "b" }, true)]
    public void Read_RwkvVocabulary_IsRefusedIfATextCannotBeRead(string[] tokens, bool isRefused) => Assert.Equal(
        isRefused,
        Read(model => model
            .Set("tokenizer.ggml.model", "rwkv")
            .Set("tokenizer.ggml.tokens", tokens)
            .Set("tokenizer.ggml.token_type", tokens.Select(_ => 1).ToArray())
            .Set("tokenizer.ggml.bos_token_id", 0u)
            .Set("tokenizer.ggml.eos_token_id", 0u)) is null);

    [Theory]
    [InlineData(new[] { 0, 0 }, "no layer has it")]
    [InlineData(new[] { 1 }, "has 1 elements for 2 blocks")]
    public void Read_WindowsThatNoLayerHas_IsRefused(int[] pattern, string expected) => Assert.Contains(
        expected,
        Refusal(model => model
            .Set("llama.attention.sliding_window", 32u)
            .Set("llama.attention.sliding_window_pattern", pattern)),
        StringComparison.Ordinal);

    /// <summary>Rules of single architectures, each broken in a header that the common checks take.</summary>
    [Theory]
    [InlineData("bailingmoe3", "'kda.safe_gate' is off")]
    [InlineData("deepseek2", "16 rotated dimensions leave none of the 16 of a key")]
    [InlineData("jamba", "'ssm.inner_size' is not twice the embedding")]
    [InlineData("grovemoe", "'grovemoe' has no experts")]
    [InlineData("hrm_text", "2 blocks are not those of the stacks and cycles")]
    [InlineData("minimax-m3", "'attention.indexer.block_size' is missing or 0")]
    [InlineData("nanbeige", "2 blocks in loops are more than 512")]
    [InlineData("arwkv7", "'token_shift_count' is not 1")]
    public void Read_RuleOfAnArchitecture_NamesIt(string architecture, string expected) => Assert.Contains(
        expected,
        Refusal(model => model
            .Set("llama.attention.key_length", 16u)
            .Set("llama.num_loops", 300u)
            .SetArchitecture("llama", architecture)),
        StringComparison.Ordinal);

    /// <summary>The cache of latent vectors is as long as the tensors that fill and read it.</summary>
    [Theory]
    [InlineData("key_length_swa", 24u)]
    [InlineData("value_length_swa", 12u)]
    public void Read_LatentAttentionOfAnotherLength_NamesIt(string key, uint length) => Assert.Contains(
        $"'attention.{key}' is {length}",
        Refusal(model => AddLatents(model).Set($"llama.attention.{key}", length)),
        StringComparison.Ordinal);

    [Fact]
    public void Read_LatentAttentionOfItsTensorsLengths_IsTaken() => Assert.NotNull(Read(model => AddLatents(model)));

    private static GgufWriter AddLatents(GgufWriter model) => model
        .Set("llama.attention.key_length", 16u)
        .Set("llama.attention.key_length_swa", 16u)
        .Set("llama.attention.value_length", 16u)
        .Set("llama.attention.value_length_swa", 16u)
        .Add("blk.0.attn_kv_a_mqa.weight", new float[64 * 16], 64, 16)
        .Add("blk.0.attn_v_b.weight", new float[16 * 16], 16, 16);

    [Fact]
    public void Known_Architectures_AreThoseOfTheRelease() => Assert.Equal(145, Architectures.Known.Count);

    private string Refusal(Action<GgufWriter> change)
    {
        TinyModel.Write(_path, change: change);
        return Assert.Throws<ModelLoadException>(() => GgufFile.Read(_path)).Message;
    }

    private GgufFile? Read(Action<GgufWriter> change)
    {
        try
        {
            return GgufFile.Read(TinyModel.Write(_path, change: change));
        }
        catch (ModelLoadException)
        {
            return null;
        }
    }
}
