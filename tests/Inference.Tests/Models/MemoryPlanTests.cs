using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Herd.Inference.Models;
using Herd.Inference.Models.Gguf;
using Herd.Inference.Runtime;
using Herd.Testing;

namespace Herd.Inference.Tests.Models;

public sealed class MemoryPlanTests
{
    private const double MiB = 1 << 20;

    /// <summary>
    /// The allocations that llama.cpp v0.5.0 reports for this model: weights of 91.63 MiB, a KV cache of 22.5 MiB for
    /// 1,024 cells, a compute buffer of 49.13 MiB for 256 tokens, and an output of 1.5 MiB for 8 sequences.
    /// </summary>
    [Theory]
    [InlineData(1, 1024, 256, 22.5, 49.13 + 0.19)]
    [InlineData(8, 1024, 256, 180, 49.13 + 1.5)]
    [InlineData(32, 8192, 1024, 5760, 196.5 + 6)]
    [InlineData(8, 8192, 64, 1440, 12.28 + 1.5)]
    public void Create_RealModel_EqualsTheAllocationOfLlamaCpp(
        int slots, int cells, int batch, double kv, double compute)
    {
        var plan = Plan(slots, cells, batch);

        Assert.Equal(kv, plan.Kv / MiB);
        Assert.InRange(plan.Weights / MiB, 91.63 * 0.99, 91.63 * 1.01);
        Assert.InRange(plan.Compute / MiB, compute * 0.98, compute * 1.02);
    }

    [Fact]
    public void Create_NoContextGiven_UsesTheTrainedOne() => Assert.Equal(8192, Plan(2, 0, 256).Cells);

    [Fact]
    public void Require_TooLittle_NamesTheNumbersAndASizeThatFits()
    {
        var plan = Plan(8, 8192, 256);

        var error = Assert.Throws<ModelLoadException>(() => plan.Require(1L << 30, "this machine"));

        Assert.Equal(
            "1.55 GiB are needed, and this machine has 1.00 GiB free: weights 0.09 GiB, KV cache 1.41 GiB (8 slots of "
            + "8192 tokens), compute 0.05 GiB. What would fit: 4 slots of 8192 tokens, or 8 of 5013. "
            + "Set Node:Slots (--slots) to 4, or Node:ContextTokens (--context) to 5013.",
            error.Message);
        Assert.Contains(
            "choose a smaller one",
            Assert.Throws<ModelLoadException>(() => plan.Require(1000, "it")).Message,
            StringComparison.Ordinal);
    }

    [Property]
    public Property Advice_Taken_Fits() => Prop.ForAll(
        Gen.Choose(1, 1_000_000).ToArbitrary(),
        kib =>
        {
            var available = kib * 16_384L;
            var plan = Plan(16, 8192, 256);
            var context = plan with { Cells = plan.LargestContext(available) };
            var slots = plan with { Sequences = plan.MaxSlots(available) };
            return (context.Cells == 0 || context.Total <= available)
                && (slots.Sequences == 0 || slots.Total <= available)
                && (context.Cells == plan.Cells || (context with { Cells = context.Cells + 1 }).Total > available)
                && (slots.Sequences == plan.Sequences
                    || (slots with { Sequences = slots.Sequences + 1 }).Total > available);
        });

    private static readonly GgufFile Real = GgufFile.Read(Repository.RealModel);

    private static MemoryPlan Plan(int slots, int cells, int batch) =>
        MemoryPlan.Create(
            Real, new ContextOptions { Sequences = slots, CellsPerSequence = cells, BatchTokens = batch });
}
