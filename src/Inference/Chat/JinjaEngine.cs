using Jint;
using Jint.Native;
using Jint.Runtime;

namespace Herd.Inference.Chat;

/// <summary>A template in a JavaScript interpreter with limits. Not thread-safe.</summary>
internal sealed class JinjaEngine : IDisposable
{
    private const string Script = """
        import { Template } from "jinja";
        let template;
        export function parse(source) { template = new Template(source); }
        export function render(variables) { return template.render(JSON.parse(variables)); }
        """;

    /// <summary>
    /// Bounds the one function that makes a long text from a short one in one step: the interpreter would see its
    /// memory afterwards only.
    /// </summary>
    private const string BoundedRepeat = """
        (limit => {
          const repeat = String.prototype.repeat;
          String.prototype.repeat = function (count) {
            if (this.length * count > limit) {
              throw new RangeError(`a text of ${this.length * count} characters is too long`);
            }
            return repeat.call(this, count);
          };
        })
        """;

    private static readonly Lazy<Prepared<Acornima.Ast.Module>> Jinja = new(ReadJinja);

    private readonly Jint.Engine _engine;
    private readonly JsValue _render;
    private readonly string _limits;

    /// <param name="source">The template.</param>
    /// <param name="options">The limits.</param>
    /// <param name="scale">What the limits of a rendering are multiplied by.</param>
    /// <exception cref="TemplateException">The template cannot be parsed.</exception>
    public JinjaEngine(string source, TemplateOptions options, int scale)
    {
        var statements = (int)Math.Min(int.MaxValue, (long)options.Statements * scale);
        var bytes = options.Bytes * scale;
        var time = options.ProcessorTime * scale;
        _limits = $"{statements} statements, {bytes >> 20} MiB, depth {options.Depth}, "
            + $"{time.TotalSeconds} s of processor time";
        _engine = new Jint.Engine(limits =>
        {
            limits.MaxStatements(statements);
            limits.LimitMemory(bytes);
            limits.LimitRecursion(options.Depth);
            limits.Constraint(new ProcessorTimeConstraint(time));

            // The regular expressions are Jinja's own, and none of them can take long.
            limits.Constraints.RegexTimeout = Timeout.InfiniteTimeSpan;
            limits.Strict();
        });

        // Starting the interpreter is trusted and does not count against the limits of the template.
        _engine.Invoke(_engine.Evaluate(BoundedRepeat), bytes / 2);
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
    public string Render(string variables) => Guard("rendered", () => _engine.Invoke(_render, variables)).AsString();

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
                $"The chat template went over its limits when it was {verb} ({_limits}): {e.Message}", e);
        }
    }

    private static Prepared<Acornima.Ast.Module> ReadJinja()
    {
        using var stream = typeof(JinjaEngine).Assembly.GetManifestResourceStream("jinja.mjs")!;
        using var reader = new StreamReader(stream);
        return Jint.Engine.PrepareModule(reader.ReadToEnd(), "jinja");
    }
}
