using Herd.Inference.Chat;
using Herd.Inference.Generation;
using Herd.Inference.Runtime;
using Herd.Inference.Sampling;
using Microsoft.Extensions.Logging.Abstractions;

namespace Herd.LlamaCpp.Tests;

[Collection(nameof(Models))]
public sealed class SmokeTests(Models models)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Say(bool tiny)
    {
        var model = tiny ? models.Tiny : models.Real;
        var sw = System.Diagnostics.Stopwatch.StartNew();
        using var template = new ChatTemplate(model.Info.ChatTemplate!, model.Vocabulary);
        TestContext.Current.SendDiagnosticMessage($"template {sw.ElapsedMilliseconds}");
        sw.Restart();
        var prompt = template.Render([new ChatMessage(ChatRole.User, "What is the capital of France?")]);
        TestContext.Current.SendDiagnosticMessage($"render {sw.ElapsedMilliseconds} {prompt.Length}");
        await using var engine = new Engine(model.CreateContext(new ContextOptions { CellsPerSequence = 1024 }), model.Vocabulary, new EngineOptions(), TimeProvider.System, NullLogger<Engine>.Instance);
        var text = "";
        await foreach (var u in engine.Generate(new GenerationRequest { Session = "a", Prompt = prompt, MaxTokens = 30, Sampling = new SamplingOptions { Temperature = 0 } }, TestContext.Current.CancellationToken))
        {
            text += u.Text;
            if (u.Result != null) TestContext.Current.SendDiagnosticMessage(u.Result.ToString());
        }
        Assert.Equal("x", text);
    }
}
