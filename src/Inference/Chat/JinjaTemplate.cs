using System.Text.Json;
using Jint;
using Jint.Native;
using Jint.Runtime;

namespace Herd.Inference.Chat;

/// <summary>
/// A Jinja template, rendered by @huggingface/jinja in an interpreter with limits. The template comes with a model file
/// and is not trusted. Thread-safe: a lock allows one rendering at a time.
/// </summary>
internal sealed class JinjaTemplate : IDisposable
{
    private const string Script = """
        import { Template } from "jinja";
        let template;
        export function parse(source) { template = new Template(source); }
        export function render(variables) { return template.render(JSON.parse(variables)); }
        """;

    private static readonly Lazy<Prepared<Acornima.Ast.Module>> Jinja = new(ReadJinja);

    private readonly Lock _lock = new();
    private readonly Jint.Engine _engine;
    private readonly JsValue _render;
    private readonly TemplateOptions _options;

    /// <exception cref="TemplateException">The template cannot be parsed, or is too large.</exception>
    public JinjaTemplate(string source, TemplateOptions options)
    {
        if (source.Length > options.Characters)
        {
            throw new TemplateException(
                $"The chat template has {source.Length} characters; at most {options.Characters} are read.");
        }

        _options = options;
        _engine = new Jint.Engine(limits =>
        {
            limits.MaxStatements(options.Statements);
            limits.LimitMemory(options.Bytes);
            limits.LimitRecursion(options.Depth);
            limits.TimeoutInterval(options.Time);
            limits.Strict();
        });

        // Starting the interpreter is trusted and does not count against the limits of the template.
        _engine.Modules.Add("jinja", builder => builder.AddModule(Jinja.Value));
        _engine.Modules.Add("main", Script);
        var main = _engine.Modules.Import("main");
        _render = main.Get("render");
        Guard("read", () => _engine.Invoke(main.Get("parse"), source));
    }

    /// <summary>Renders the template.</summary>
    /// <param name="variables">The variables of the template, as JSON.</param>
    /// <exception cref="TemplateException">
    /// The template rejected the variables, failed or exceeded its limits.
    /// </exception>
    public string Render(JsonElement variables)
    {
        var json = variables.GetRawText();
        lock (_lock)
        {
            return Guard("rendered", () => _engine.Invoke(_render, json)).AsString();
        }
    }

    public void Dispose() => _engine.Dispose();

    private T Guard<T>(string verb, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (JavaScriptException e)
        {
            throw new TemplateException($"The chat template could not be {verb}: {e.Message}", e);
        }
        catch (Exception e) when (e is StatementsCountOverflowException or MemoryLimitExceededException
            or RecursionDepthOverflowException or TimeoutException or InsufficientExecutionStackException)
        {
            throw new TemplateException(
                $"The chat template went over its limits when it was {verb} ({_options.Statements} statements, "
                + $"{_options.Bytes >> 20} MiB, depth {_options.Depth}, {_options.Time.TotalSeconds} "
                + $"s): {e.Message}", e);
        }
    }

    private static Prepared<Acornima.Ast.Module> ReadJinja()
    {
        using var stream = typeof(JinjaTemplate).Assembly.GetManifestResourceStream("jinja.mjs")!;
        using var reader = new StreamReader(stream);
        return Jint.Engine.PrepareModule(reader.ReadToEnd(), "jinja");
    }
}
