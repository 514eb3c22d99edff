using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.Generation;

namespace Herd.Gateway.Tests.Generation;

public sealed class SettingsBuilderTests
{
    [Fact]
    public void Build_NoFields_AreTheModelsDefaults() =>
        Assert.Equal(new GenerationSettings(), SettingsBuilder.Build(new SettingsFields()));

    [Fact]
    public void Build_EveryFieldAtItsLimit_IsKept()
    {
        var settings = SettingsBuilder.Build(new SettingsFields
        {
            Temperature = ("t", 2f),
            TopK = ("k", 1_000_000),
            TopP = ("p", 1f),
            MinP = ("m", 1f),
            TypicalP = ("y", 1f),
            Seed = ulong.MaxValue,
            MaxTokens = ("x", 1),
            RepetitionPenalty = ("r", 2f),
            FrequencyPenalty = ("f", -2f),
            PresencePenalty = ("e", 2f),
            Dry = ("d", new DrySettings(10, 10, 1000)),
            Xtc = ("x", new XtcSettings(1, 0.5f)),
            Mirostat = ("o", new MirostatSettings()),
            LogProbs = ("l", 20),
        });

        Assert.Equal((2f, 1_000_000, 1f, 1f), (settings.Temperature, settings.TopK, settings.TopP, settings.MinP));
        Assert.Equal(
            (1f, ulong.MaxValue, 1, 20), (settings.TypicalP, settings.Seed, settings.MaxTokens, settings.LogProbs));
        Assert.Equal(new PenaltySettings(2, -2, 2), settings.Penalties);
        Assert.Equal((new DrySettings(10, 10, 1000), new XtcSettings(1, 0.5f)), (settings.Dry, settings.Xtc));
        Assert.Equal(new MirostatSettings(), settings.Mirostat);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(-0.01f)]
    [InlineData(2.01f)]
    public void Build_TemperatureOutOfRange_IsRefused(float value) =>
        Assert.Equal("t", Refuse(new SettingsFields { Temperature = ("t", value) }).Parameter);

    [Fact]
    public void Build_PartOutOfRange_IsRefusedByItsPath()
    {
        Assert.Equal("a.dry.base", Refuse(new SettingsFields { Dry = ("a.dry", new DrySettings(1, 0)) }).Parameter);
        Assert.Equal(
            "a.xtc.threshold", Refuse(new SettingsFields { Xtc = ("a.xtc", new XtcSettings(1, 0.6f)) }).Parameter);
        Assert.Equal(
            "a.miro.tau", Refuse(new SettingsFields { Mirostat = ("a.miro", new MirostatSettings(0)) }).Parameter);
        Assert.Equal(
            "b.7", Refuse(new SettingsFields { Bias = ("b", new Dictionary<int, float> { [7] = 101 }) }).Parameter);
    }

    [Fact]
    public void Build_OutOfRange_SaysFieldRuleAndValue() => Assert.Equal(
        "'top_k' must be from 0 to 1000000; found -1.", Refuse(new SettingsFields { TopK = ("top_k", -1) }).Message);

    [Fact]
    public void Build_MoreThanFits_IsRefused()
    {
        Assert.Equal("s", Refuse(new SettingsFields { Stops = ("s", [.. Enumerable.Repeat("x", 17)]) }).Parameter);
        Assert.Equal("s", Refuse(new SettingsFields { Stops = ("s", [new string('x', 257)]) }).Parameter);
        Assert.Equal("s", Refuse(new SettingsFields { Stops = ("s", [null!]) }).Parameter);
        Assert.Equal("b", Refuse(
            new SettingsFields { Bias = ("b", Enumerable.Range(0, 1025).ToDictionary(i => i, _ => 1f)) }).Parameter);
        Assert.Equal(
            "f", Refuse(new SettingsFields { Form = ("f", new AnswerForm(new string(' ', 65_537))) }).Parameter);
    }

    [Fact]
    public void Build_ChoiceWithoutItsFunction_IsRefused()
    {
        var tools = new SettingsFields { Tools = ("tools", [new Tool("f")]) };

        Assert.Equal("c", Refuse(tools with { ToolChoice = ("c", new ToolChoice(true, "g")) }).Parameter);
        Assert.Equal("c", Refuse(new SettingsFields { ToolChoice = ("c", new ToolChoice(true)) }).Parameter);
        Assert.Equal(
            "f", SettingsBuilder.Build(tools with { ToolChoice = ("c", new ToolChoice(true, "f")) }).ToolChoice!.Name);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("ä")]
    public void Build_BadFunctionName_IsRefusedByIndex(string name) => Assert.Equal(
        "tools[1]", Refuse(new SettingsFields { Tools = ("tools", [new Tool("f"), new Tool(name)]) }).Parameter);

    [Fact]
    public void Build_SameFunctionTwice_IsRefusedByIndex() => Assert.Equal(
        "tools[1]", Refuse(new SettingsFields { Tools = ("tools", [new Tool("f"), new Tool("f")]) }).Parameter);

    private static HerdException Refuse(SettingsFields fields)
    {
        var error = Assert.Throws<HerdException>(() => SettingsBuilder.Build(fields));
        Assert.Equal(HerdError.InvalidArgument, error.Error);
        return error;
    }
}
